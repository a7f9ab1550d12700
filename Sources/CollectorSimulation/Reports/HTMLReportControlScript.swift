/// Mouse, keys, and the table of events.
enum HTMLReportControlScript {
    static let text = #"""
        let isDrawing = false;
        const draw = () => {
          if (isDrawing) return;
          isDrawing = true;
          requestAnimationFrame(() => {
            isDrawing = false;
            width = $('plot').clientWidth;
            targets = [];
            drawAxis();
            drawOverview();
            drawLanes();
            drawCharts();
          });
        };
        const show = (from, until) => {
          const size = Math.max(1e-7, Math.min(1, until - from));
          const start = Math.max(0, Math.min(from, 1 - size));
          view = [start, start + size];
          page = 0;
          fillTable();
          draw();
        };
        const zoom = (factor, middle) => {
          const u = middle === undefined ? (view[0] + view[1]) / 2 : middle;
          show(u - (u - view[0]) * factor, u + (view[1] - u) * factor);
        };
        const move = share => { const d = (view[1] - view[0]) * share; show(view[0] + d, view[1] + d); };
        const showTimes = (from, until) => {
          const a = axis.place(from), b = axis.place(until), margin = Math.max((b - a) * .4, .004);
          show(a - margin, b + margin);
        };

        // Where to look first: what is missing, what failed, what struck.
        const fillJumps = () => {
          const box = $('jumps');
          const add = (name, text, title, action) => {
            if (box.children.length >= 14) return;
            const button = make('button', name, text);
            button.title = title;
            button.addEventListener('click', action);
            box.append(button);
          };
          K.kind.forEach((kind, i) => {
            if (kind === 'failure') add('failure', '✗ failure @' + seconds(K.time[i], 1e7), K.text[i],
              () => showTimes(K.time[i], K.time[i]));
          });
          for (const cluster of clusters) {
            add('gap', (cluster.count > 1 ? cluster.count + ' gaps @' : 'gap @') + seconds(cluster.first, 1e7),
              cluster.text, () => showTimes(cluster.count > 1 ? cluster.first : cluster.from, cluster.until));
          }
          let last = -1;
          K.kind.forEach((kind, i) => {
            if (kind !== 'clock' && kind !== 'fault' || K.time[i] - last < END / 200) return;
            last = K.time[i];
            add('', kind + ' @' + seconds(K.time[i], 1e7), K.text[i], () => showTimes(K.time[i], K.time[i]));
          });
        };

        let page = 0, order = [];
        const PAGE = 200;
        const inOrder = E.delivered.map((_, i) => i).sort(byTime(E.delivered));
        const fillTable = () => {
          const wanted = $('filter').value, from = axis.time(view[0]), until = axis.time(view[1]);
          const isAll = view[0] <= 0 && view[1] >= 1;
          order = inOrder.filter(i => (isAll || E.delivered[i] >= from && E.time[i] <= until)
            && (!wanted || E.text[i].includes(wanted)));
          const body = $('events').tBodies[0], pages = Math.max(1, Math.ceil(order.length / PAGE));
          page = Math.max(0, Math.min(page, pages - 1));
          body.textContent = '';
          for (const i of order.slice(page * PAGE, page * PAGE + PAGE)) {
            const row = make('tr', i === chosen ? 'on' : '');
            const kind = make('td'), dot = make('span', 'dot');
            dot.style.background = 'var(--' + eventKinds[i] + ')';
            const origin = E.origins[E.origin[i]];
            kind.append(dot, E.kinds[E.kind[i]].replace('process.', '') + (origin === 'emitted' || E.kinds[E.kind[i]].endsWith(origin) ? '' : ' · ' + origin));
            row.append(make('td', '', seconds(E.delivered[i], 1e6)),
              make('td', '', duration(E.delivered[i] - E.time[i])), kind, make('td', '', E.text[i]));
            row.addEventListener('click', () => { chosen = i; reveal(i); fillTable(); });
            body.append(row);
          }
          const shown = order.length > PAGE ? ', ' + (page * PAGE + 1) + ' to '
            + Math.min(order.length, page * PAGE + PAGE) : '';
          const rest = E.left_out ? ', ' + E.left_out + ' more in the run are not on this page' : '';
          $('count').textContent = order.length + (isAll ? '' : ' in view') + shown + rest;
          $('before').disabled = page === 0;
          $('after').disabled = page >= pages - 1;
        };
        const reveal = i => {
          if (!isSeen(E.time[i])) showTimes(E.time[i], E.delivered[i]);
          const at = rows.findIndex(row => row.members.includes(E.process[i]));
          if (at >= 0) $('rows').scrollTop = Math.max(0, at * ROW - 200);
          draw();
        };
        const step = by => {
          if (!order.length) return;
          const at = order.indexOf(chosen);
          chosen = order[Math.max(0, Math.min(order.length - 1, at < 0 ? 0 : at + by))];
          page = Math.floor(order.indexOf(chosen) / PAGE);
          reveal(chosen);
          fillTable();
          tell(E.text[chosen], x(E.time[chosen]), 40);
        };

        const tell = (text, left, top) => {
          const tip = $('tip');
          tip.hidden = !text;
          if (!text) return;
          tip.textContent = text;
          const size = $('plot').clientWidth;
          tip.style.left = Math.max(0, Math.min(left + 14, size - tip.offsetWidth - 4)) + 'px';
          tip.style.top = top + 16 + 'px';
        };
        const describe = (target, px) => {
          if (target.event !== undefined) {
            const i = target.event;
            return E.text[i] + '\ndelivered ' + seconds(E.delivered[i], 1e4) + ', after '
              + duration(E.delivered[i] - E.time[i]);
          }
          if (!target.fold) return target.text;
          const column = Math.floor((px - X0()) / 2);
          const parts = M.fates.map((fate, f) => target.fold[f][column] ? target.fold[f][column] + ' ' + fate : '');
          return target.row.label + ' ' + target.row.detail + ' (' + target.row.members.length + ' processes)\nhere: '
            + (parts.filter(part => part).join(', ') || 'no message') + ' · ' + (target.said[column] || 0)
            + ' events\nclick the name to open or close the row';
        };
        const nearest = (px, py) => {
          let best = null, least = 12;
          for (const target of targets) {
            const dx = target.until === undefined ? Math.abs(px - target.x)
              : px < target.x ? target.x - px : px > target.until ? px - target.until : 0;
            const distance = Math.max(dx, Math.abs(py - target.y)) + (target.isBar ? 4 : 0);
            if (distance < least) { least = distance; best = target; }
          }
          return best;
        };

        const place = event => event.clientX - $('plot').getBoundingClientRect().left;
        const watch = canvas => {
          let begin = null;
          canvas.addEventListener('pointerdown', event => {
            const px = place(event);
            if (px < LEFT) return toggle(event);
            begin = { px, view: view.slice(), moves: event.shiftKey };
            canvas.setPointerCapture(event.pointerId);
          });
          canvas.addEventListener('pointermove', event => {
            const px = place(event), box = $('lanes').getBoundingClientRect();
            cursor = px >= X0() && px <= X1() ? px : null;
            if (begin && begin.moves) {
              const d = (begin.px - px) / (X1() - X0()) * (begin.view[1] - begin.view[0]);
              show(begin.view[0] + d, begin.view[1] + d);
            } else if (begin) {
              brush = Math.abs(px - begin.px) > 4 ? [begin.px, px] : null;
            } else {
              const target = nearest(px, event.clientY - box.top), plot = $('plot').getBoundingClientRect();
              tell(target ? describe(target, px) : '', px, event.clientY - plot.top);
            }
            draw();
          });
          canvas.addEventListener('pointerup', event => {
            const px = place(event);
            if (brush) {
              const [a, b] = brush.map(at => axis.place(timeAt(Math.max(X0(), Math.min(at, X1()))))).sort((m, n) => m - n);
              brush = null;
              show(a, b);
            } else if (begin && !begin.moves) {
              const target = nearest(px, event.clientY - $('lanes').getBoundingClientRect().top);
              if (target && target.event !== undefined) { chosen = target.event; fillTable(); draw(); }
            }
            begin = null;
          });
          canvas.addEventListener('pointerleave', () => { cursor = null; tell(''); draw(); });
          canvas.addEventListener('dblclick', () => show(0, 1));
          canvas.addEventListener('wheel', event => {
            if (event.ctrlKey || event.metaKey) {
              event.preventDefault();
              zoom(Math.exp(event.deltaY / 300), axis.place(timeAt(place(event))));
            } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
              event.preventDefault();
              move(event.deltaX / (X1() - X0()));
            }
          }, { passive: false });
        };
        const toggle = event => {
          if (event.target !== $('lanes')) return;
          const y = event.clientY - $('lanes').getBoundingClientRect().top + $('rows').scrollTop;
          const row = rows[Math.floor(y / ROW)];
          if (!row || !row.fold) return;
          if (!open.delete(row.key)) open.add(row.key);
          update();
        };
        const update = () => {
          const all = makeRows($('find').value.trim());
          rows = all.slice(0, ROWS);
          const left = all.length - rows.length, missing = [];
          if (left) missing.push(left + ' more rows are not shown: search for a pid or a name');
          if (P.left_out) missing.push(P.left_out + ' more processes are not on this page');
          if (M.left_out) missing.push(M.left_out + ' more kernel messages are not on this page');
          more.textContent = missing.length ? ' ' + missing.join('; ') + '.' : '';
          draw();
        };
        const more = make('b');
        $('note').append(more);

        ['lanes', 'axis', 'charts'].forEach(id => watch($(id)));
        $('rows').addEventListener('scroll', draw);
        let held = false;
        const slide = event => {
          const u = (place(event) - X0()) / (X1() - X0()), half = (view[1] - view[0]) / 2;
          show(u - half, u + half);
        };
        $('overview').addEventListener('pointerdown', event => {
          held = true;
          $('overview').setPointerCapture(event.pointerId);
          slide(event);
        });
        $('overview').addEventListener('pointermove', event => { if (held) slide(event); });
        $('overview').addEventListener('pointerup', () => { held = false; });
        $('lanes').addEventListener('keydown', event => {
          const action = {
            ArrowLeft: () => move(-.2), ArrowRight: () => move(.2), '+': () => zoom(.6), '=': () => zoom(.6),
            '-': () => zoom(1 / .6), '0': () => show(0, 1), Home: () => show(0, view[1] - view[0]),
            End: () => show(1 - view[1] + view[0], 1), n: () => step(1), p: () => step(-1),
            Escape: () => { chosen = -1; tell(''); fillTable(); draw(); },
          }[event.key];
          if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
          event.preventDefault();
          action();
        });
        $('in').addEventListener('click', () => zoom(.5));
        $('out').addEventListener('click', () => zoom(2));
        $('all').addEventListener('click', () => show(0, 1));
        $('before').addEventListener('click', () => { page--; fillTable(); });
        $('after').addEventListener('click', () => { page++; fillTable(); });
        $('filter').addEventListener('input', () => { page = 0; fillTable(); });
        $('find').addEventListener('input', update);
        $('elastic').addEventListener('change', () => {
          const from = axis.time(view[0]), until = axis.time(view[1]);
          axis = makeAxis($('elastic').checked);
          show(axis.place(from), axis.place(until));
        });
        document.addEventListener('click', event => {
          const button = event.target.closest('button.time');
          if (!button) return;
          const t = Number(button.dataset.t);
          if (!isSeen(t) || view[1] - view[0] > .2) showTimes(t, t);
          $('plot').scrollIntoView({ block: 'center', behavior: 'smooth' });
        });
        const restyle = () => { readColours(); drawLegend(); draw(); };
        matchMedia('(prefers-color-scheme: dark)').addEventListener('change', restyle);
        window.addEventListener('resize', draw);
        // #t=1.0..1.2 in the address shows these seconds.
        const obeyAddress = () => {
          const [from, until] = (location.hash.match(/^#t=([0-9.]+)\.\.([0-9.]+)$/) || []).slice(1).map(Number);
          if (until > from) show(axis.place(from * 1e9), axis.place(until * 1e9));
        };
        window.addEventListener('hashchange', obeyAddress);
        fillJumps();
        fillTable();
        obeyAddress();
        restyle();
        update();

        """#
}
