/// Drawing of the rows of processes, and of the events on them.
enum HTMLReportLanesScript {
    static let text = #"""
        const hatch = (() => {
          const tile = document.createElement('canvas');
          tile.width = tile.height = 6;
          const c = tile.getContext('2d');
          return colour => {
            c.clearRect(0, 0, 6, 6);
            c.strokeStyle = colour;
            c.lineWidth = 1.3;
            c.beginPath();
            for (const shift of [-6, 0, 6]) { c.moveTo(shift, 6); c.lineTo(shift + 6, 0); }
            c.stroke();
            return c.createPattern(tile, 'repeat');
          };
        })();

        // Shapes differ as colours do, for those who cannot tell these apart.
        const shape = (c, kind, at, y, size) => {
          c.beginPath();
          if (kind === 'fork') {
            c.moveTo(at - size, y + size); c.lineTo(at + size, y + size); c.lineTo(at, y - size);
          } else if (kind === 'exec') {
            c.moveTo(at, y - size * 1.2); c.lineTo(at + size * 1.2, y); c.lineTo(at, y + size * 1.2);
            c.lineTo(at - size * 1.2, y);
          } else if (kind === 'exit') {
            c.rect(at - size, y - size, size * 2, size * 2);
          } else {
            c.arc(at, y, size, 0, 7);
          }
          c.closePath();
          c.fill();
        };

        const drawLanes = () => {
          const box = $('rows'), height = Math.min(rows.length * ROW, 460) || ROW;
          $('spacer').style.height = Math.max(0, rows.length * ROW - height) + 'px';
          const c = surface($('lanes'), height), top = box.scrollTop;
          clipPlot(c, height);
          drawBands(c, height);
          drawGrid(c, height);
          c.restore();
          const hatching = hatch(colours['alive-edge']);
          const first = Math.floor(top / ROW), last = Math.min(rows.length, Math.ceil((top + height) / ROW));
          for (let i = first; i < last; i++) {
            const y = i * ROW - top, row = rows[i];
            drawLabel(c, row, y);
            clipPlot(c, height);
            if (row.fold) drawFold(c, row, y); else row.members.forEach(p => drawProcess(c, p, y, hatching));
            c.restore();
            c.fillStyle = colours.line;
            c.fillRect(0, y + ROW - 1, width - RIGHT, .5);
          }
          clipPlot(c, height);
          drawCursor(c, height);
          drawBrush(c, height);
          c.restore();
        };

        const drawLabel = (c, row, y) => {
          const left = Math.min(row.depth, 7) * 10;
          c.fillStyle = colours.ink;
          const head = row.fold ? (open.has(row.key) ? '▾ ' : '▸ ') + row.label : row.label;
          c.fillText(head, left, y + ROW / 2);
          const size = c.measureText(head).width + 6;
          c.fillStyle = colours.faint;
          c.fillText(fit(c, row.detail, LEFT - left - size - 10), left + size, y + ROW / 2);
        };

        const drawProcess = (c, p, y, hatching) => {
          const ended = P.ended[p] < 0 ? END : P.ended[p], reaped = P.reaped[p] < 0 ? END : P.reaped[p];
          const left = x(P.born[p]), right = Math.max(x(ended), left + 1.5);
          if (x(reaped) >= X0() && left <= X1()) {
            const from = Math.max(left, X0() - 6), until = Math.min(right, X1() + 6);
            if (until > from) {
              c.fillStyle = colours.alive;
              c.beginPath();
              c.roundRect(from, y + 4, until - from, 11, 3);
              c.fill();
            }
            if (P.ended[p] >= 0 && x(reaped) > right) {
              c.fillStyle = hatching;
              c.fillRect(Math.max(right, X0()), y + 4, Math.min(x(reaped), X1()) - Math.max(right, X0()), 11);
            }
            const born = P.born[p] > 0 ? seconds(P.born[p], 1e4) : 'before @0';
            const end = P.ended[p] < 0 ? '' : '\nended ' + seconds(P.ended[p], 1e4)
              + (P.reaped[p] < 0 ? ', not reaped' : ', reaped ' + seconds(P.reaped[p], 1e4));
            targets.push({ x: from, until: Math.max(until, from + 3), y: y + 9, isBar: true,
              text: nameOf(p) + ' ' + programOf(p) + '\nborn ' + born + end });
            drawPrograms(c, p, y, from, until);
          }
          for (const i of messagesOf[p]) {
            if (M.fate[i] !== LOST || !isSeen(M.time[i])) continue;
            const at = x(M.time[i]);
            c.strokeStyle = colours.bad;
            c.lineWidth = 1.6;
            c.beginPath();
            c.moveTo(at - 3, y + 6); c.lineTo(at + 3, y + 13);
            c.moveTo(at + 3, y + 6); c.lineTo(at - 3, y + 13);
            c.stroke();
            targets.push({ x: at, y: y + 9, text: 'a message that the kernel lost\n@' + seconds(M.time[i], 1e4) });
          }
          drawEvents(c, eventsOf[p], y + 20);
        };

        // The incarnation, and each program from its exec on, as far as there is room.
        const drawPrograms = (c, p, y, from, until) => {
          const starts = [[P.born[p], P.name[p]]];
          let isNamed = false;
          for (const i of execsOf[p]) starts.push([X.time[i], X.path[i].split('/').pop()]);
          starts.forEach(([time, text], index) => {
            const left = Math.max(x(time), from);
            const right = index + 1 < starts.length ? Math.min(x(starts[index + 1][0]), until) : until;
            if (index && x(time) >= X0()) {
              c.fillStyle = colours.ink;
              c.fillRect(x(time) - .75, y + 3, 1.5, 13);
            }
            if (right - left < 26) return;
            c.fillStyle = colours.soft;
            c.font = '10.5px system-ui, sans-serif';
            const start = Math.max(left, X0()) + 5;
            c.fillText(fit(c, isNamed ? text : nameOf(p) + ' ' + text, right - start - 3), start, y + 10);
            c.font = FONT;
            isNamed = true;
          });
        };

        const drawEvents = (c, list, y) => {
          const last = {};
          for (const i of list) {
            const at = x(E.time[i]), until = x(E.delivered[i]);
            if (until < X0() - 4 || at > X1() + 4) continue;
            const kind = eventKinds[i];
            if (last[kind] !== undefined && at - last[kind] < 1.5 && i !== chosen) continue;
            last[kind] = at;
            c.fillStyle = colours[kind];
            c.globalAlpha = .45;
            c.fillRect(at, y - .75, Math.max(until - at, 0), 1.5);
            c.fillRect(until - .5, y - 3, 1, 6);
            c.globalAlpha = 1;
            shape(c, kind, at, y, i === chosen ? 5 : 3.2);
            targets.push({ x: at, y, event: i });
          }
        };

        // How many messages in each column, and what became of them; below, how many events.
        const drawFold = (c, row, y) => {
          gather(row);
          const columns = Math.ceil((X1() - X0()) / 2), inner = columns * 2;
          const counts = M.fates.map(() => new Float64Array(columns));
          for (const i of row.messages) {
            const column = Math.floor((x(M.time[i]) - X0()) / 2);
            if (column >= 0 && column < columns) counts[M.fate[i]][column]++;
          }
          const said = new Float64Array(columns);
          for (const i of row.events) {
            const column = Math.floor((x(E.time[i]) - X0()) / 2);
            if (column >= 0 && column < columns) said[column]++;
          }
          const sum = new Float64Array(columns);
          counts.forEach(fate => fate.forEach((value, i) => sum[i] += value));
          const peak = Math.max(1, ...sum), most = Math.max(1, ...said);
          for (let i = 0; i < columns; i++) {
            let bottom = y + 17;
            const whole = sum[i] ? 3 + 12 * Math.sqrt(sum[i] / peak) : 0;
            M.fates.forEach((fate, f) => {
              const size = whole * counts[f][i] / (sum[i] || 1);
              c.fillStyle = fate === 'lost' ? colours.bad : fate === 'delivered' ? colours['alive-edge'] : colours.mute;
              c.fillRect(X0() + i * 2, bottom - size, 2, size);
              bottom -= size;
            });
            if (said[i]) {
              c.fillStyle = colours.good;
              c.globalAlpha = .4 + .6 * said[i] / most;
              c.fillRect(X0() + i * 2, y + 19, 2, 4);
              c.globalAlpha = 1;
            }
          }
          targets.push({ x: X0(), until: X0() + inner, y: y + 12, isBar: true, fold: counts, said, row });
        };

        const drawLegend = () => {
          const box = $('legend');
          box.textContent = '';
          const entries = [
            ['fork', c => { c.fillStyle = colours.fork; shape(c, 'fork', 8, 7, 4); }],
            ['exec', c => { c.fillStyle = colours.exec; shape(c, 'exec', 8, 7, 4); }],
            ['exit', c => { c.fillStyle = colours.exit; shape(c, 'exit', 8, 7, 3.5); }],
            ['baseline', c => { c.fillStyle = colours.base; shape(c, '', 8, 7, 4); }],
            ['derived', c => { c.fillStyle = colours.derived; shape(c, '', 8, 7, 4); }],
            ['other event', c => { c.fillStyle = colours.other; shape(c, '', 8, 7, 4); }],
            ['until delivered', c => {
              c.fillStyle = colours.exec; shape(c, 'exec', 3, 7, 2.6); c.fillRect(4, 6.3, 10, 1.5);
              c.fillRect(13.5, 4, 1, 6);
            }],
            ['alive', c => { c.fillStyle = colours.alive; c.fillRect(0, 2, 16, 10); }],
            ['zombie', c => { c.fillStyle = hatch(colours['alive-edge']); c.fillRect(0, 2, 16, 10); }],
            ['message lost by the kernel', c => { c.fillStyle = colours.bad; c.fillRect(4, 2, 8, 10); }],
            ['message received', c => { c.fillStyle = colours['alive-edge']; c.fillRect(4, 2, 8, 10); }],
            ['gap record', c => {
              c.fillStyle = colours.gap; c.fillRect(2, 0, 12, 14); c.fillStyle = colours['gap-edge'];
              c.fillRect(2, 0, 1, 14); c.fillRect(13, 0, 1, 14);
            }],
          ];
          const present = new Set(K.kind);
          const marks = { scan: 'scan of /proc', fault: 'fault', clock: 'clock', failure: 'failure', status: 'source status',
            account: 'account', signal: 'told to stop' };
          for (const kind of Object.keys(marks)) {
            if (!present.has(kind)) continue;
            const [colour, sign] = MARK[kind];
            entries.push([marks[kind], c => {
              c.font = FONT; c.textBaseline = 'middle'; c.textAlign = 'center';
              c.fillStyle = colours[colour]; c.fillText(sign, 8, 7);
            }]);
          }
          for (const [name, draw] of entries) {
            const item = make('span'), canvas = make('canvas'), ratio = window.devicePixelRatio || 1;
            canvas.width = 16 * ratio;
            canvas.height = 14 * ratio;
            const c = canvas.getContext('2d');
            c.scale(ratio, ratio);
            draw(c);
            item.append(canvas, name);
            box.append(item);
          }
        };

        """#
}
