/// What makes a page move: reading its data, drawing, and obeying the mouse and the keys.
///
/// Foreign text enters the page by `textContent` and `fillText` only.
enum HTMLReportScript {
    static let text =
        "(() => {\n'use strict';\n" + HTMLReportModelScript.text + HTMLReportPlotScript.text
        + HTMLReportLanesScript.text + HTMLReportControlScript.text + "})();\n"
}

/// The data as a page holds it, the axis, and the rows.
enum HTMLReportModelScript {
    static let text = #"""
        const D = JSON.parse(document.getElementById('data').textContent);
        const $ = id => document.getElementById(id);
        const make = (tag, name, text) => {
          const node = document.createElement(tag);
          if (name) node.className = name;
          if (text !== undefined) node.textContent = text;
          return node;
        };
        const P = D.processes, M = D.messages, E = D.events, X = D.execs, G = D.gaps, K = D.marks, R = D.runs;
        const END = D.end, LOST = M.fates.indexOf('lost');

        // Seconds with as many decimals as a span of `span` nanoseconds needs.
        const seconds = (t, span) => {
          const decimals = Math.max(0, Math.min(9, Math.ceil(-Math.log10(Math.max(span, 1) / 1e9)) + 1));
          return (t / 1e9).toFixed(decimals);
        };
        const duration = t => t < 1e3 ? t + ' ns' : t < 1e6 ? (t / 1e3).toPrecision(3) + ' µs'
          : t < 1e9 ? (t / 1e6).toPrecision(3) + ' ms' : (t / 1e9).toPrecision(3) + ' s';

        const kindOf = index => {
          const kind = E.kinds[E.kind[index]], origin = E.origins[E.origin[index]];
          if (origin === 'baseline') return 'base';
          if (kind === 'process.suspicious' || kind === 'process.modified' || origin === 'derived') return 'derived';
          return { 'process.fork': 'fork', 'process.exec': 'exec', 'process.exit': 'exit',
            'process.baseline': 'base' }[kind] || 'other';
        };
        const eventKinds = E.time.map((_, index) => kindOf(index));

        const byTime = times => (a, b) => times[a] - times[b];
        // Gap records of one cause that lie close together, as one.
        const clusters = [];
        G.from.map((_, i) => i).sort(byTime(G.until)).forEach(i => {
          const last = clusters.findLast(cluster => cluster.cause === G.cause[i]);
          if (last && G.until[i] - last.until < END / 500) {
            last.until = Math.max(last.until, G.until[i]);
            last.from = Math.min(last.from, G.from[i]);
            last.lost += G.lost[i];
            last.count++;
          } else {
            clusters.push({ from: G.from[i], until: G.until[i], first: G.until[i], lost: G.lost[i], count: 1,
              cause: G.cause[i] });
          }
        });
        for (const cluster of clusters) {
          cluster.text = cluster.cause + ': ' + cluster.lost.toLocaleString('en') + ' lost'
            + (cluster.count > 1 ? ' (' + cluster.count + ' gap records)' : '');
        }

        // The axis: a place between 0 and 1 for each time. Stretched, each pause between two things that happen takes
        // the square root of its length, so that a storm of a millisecond and a quiet minute both have room.
        const makeAxis = isStretched => {
          const set = new Set([0, END]);
          const add = times => { for (const t of times) if (t >= 0 && t <= END) set.add(t); };
          if (isStretched) {
            [M.time, E.time, E.delivered, P.born, P.ended, P.reaped, G.from, G.until, K.time, R.started, R.ended]
              .forEach(add);
            for (const chart of D.charts) add(chart.time);
          }
          const times = Float64Array.from(set).sort();
          const places = new Float64Array(times.length);
          for (let i = 1; i < times.length; i++) {
            const pause = times[i] - times[i - 1];
            places[i] = places[i - 1] + (isStretched ? Math.sqrt(pause) : pause);
          }
          const whole = places[places.length - 1] || 1;
          for (let i = 0; i < places.length; i++) places[i] /= whole;
          const map = (from, to, value) => {
            let low = 0, high = from.length - 1;
            if (value <= from[0]) return to[0];
            if (value >= from[high]) return to[high];
            while (high - low > 1) {
              const middle = low + high >> 1;
              if (from[middle] <= value) low = middle; else high = middle;
            }
            const share = (value - from[low]) / ((from[high] - from[low]) || 1);
            return to[low] + share * (to[high] - to[low]);
          };
          return { place: t => map(times, places, t), time: u => map(places, times, u) };
        };

        // Things of each process, in the order of time.
        const lists = count => Array.from({ length: count }, () => []);
        const count = P.pid.length;
        const eventsOf = lists(count), execsOf = lists(count), messagesOf = lists(count), childrenOf = lists(count);
        E.process.forEach((p, i) => { if (p >= 0 && p < count) eventsOf[p].push(i); });
        X.process.forEach((p, i) => { if (p < count) execsOf[p].push(i); });
        M.process.forEach((p, i) => { if (p < count) messagesOf[p].push(i); });
        const roots = [];
        for (let p = 0; p < count; p++) {
          const parent = P.parent[p];
          if (parent >= 0 && parent < p) childrenOf[parent].push(p); else roots.push(p);
        }
        const programOf = p => {
          const path = execsOf[p].length ? X.path[execsOf[p][execsOf[p].length - 1]] : '';
          return path ? path.split('/').pop() : P.name[p];
        };
        const nameOf = p => P.pid[p] + '#' + P.ordinal[p];

        // Many children of one process that did the same share a row until it is opened.
        const FOLD = 8, ROWS = 4000, open = new Set();
        const makeRows = wanted => {
          const rows = [], rowOf = new Map();
          const matches = p => !wanted || String(P.pid[p]) === wanted || nameOf(p) === wanted
            || programOf(p).includes(wanted) || P.name[p].includes(wanted);
          const put = (p, depth) => {
            const known = rowOf.get(P.pid[p]);
            // Another incarnation of a pid stands in the row of the first.
            if (known) {
              const program = programOf(p);
              known.members.push(p);
              if (!known.detail.split(', ').includes(program) && known.detail.length < 80) known.detail += ', ' + program;
              return;
            }
            if (!matches(p)) return;
            const row = { depth, members: [p], label: String(P.pid[p]), detail: programOf(p) };
            rowOf.set(P.pid[p], row);
            rows.push(row);
          };
          const stack = roots.map(p => [p, 0]).reverse();
          while (stack.length) {
            const [p, depth] = stack.pop();
            if (Array.isArray(p)) {
              const members = p.filter(matches);
              if (members.length) {
                const parent = P.parent[p[0]], key = parent + programOf(p[0]);
                rows.push({ depth, members, key, fold: true, label: members.length + ' ×',
                  detail: programOf(p[0]) + ' of ' + P.pid[parent] });
                if (open.has(key)) members.slice(0, 300).forEach(child => put(child, depth + 1));
              }
              continue;
            }
            const isQuiet = P.quiet[p] && !eventsOf[p].length;
            if (!isQuiet) put(p, depth);
            const groups = new Map();
            for (const child of childrenOf[p]) {
              const isSimple = !childrenOf[child].length && execsOf[child].length < 2;
              const key = isSimple ? programOf(child) : 'process ' + child;
              if (!groups.has(key)) groups.set(key, []);
              groups.get(key).push(child);
            }
            const further = [];
            for (const group of groups.values()) {
              if (group.length >= FOLD) further.push([group, depth + 1]);
              else group.forEach(child => further.push([child, depth + 1]));
            }
            further.sort((a, b) => P.born[[].concat(a[0])[0]] - P.born[[].concat(b[0])[0]]);
            stack.push(...further.reverse());
          }
          return rows;
        };

        // For a folded row: its messages and its events by time.
        const gather = row => {
          if (row.messages) return;
          row.messages = row.members.flatMap(p => messagesOf[p]).sort(byTime(M.time));
          row.events = row.members.flatMap(p => eventsOf[p]).sort(byTime(E.time));
        };

        """#
}
