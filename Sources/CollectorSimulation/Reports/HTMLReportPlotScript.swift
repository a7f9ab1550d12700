/// Drawing of everything beside the rows: overview, axis, bands, charts.
enum HTMLReportPlotScript {
    static let text = #"""
        const LEFT = 190, RIGHT = 12, ROW = 26;
        let axis = makeAxis(true), view = [0, 1], rows = makeRows(''), colours = {}, width = 0;
        let cursor = null, brush = null, targets = [], chosen = -1;

        const readColours = () => {
          const style = getComputedStyle(document.documentElement);
          for (const name of ['page', 'card', 'ink', 'soft', 'faint', 'line', 'good', 'bad', 'warn', 'mute', 'alive',
            'alive-edge', 'fork', 'exec', 'exit', 'other', 'derived', 'base', 'gap', 'gap-edge', 'stretch', 'focus'])
            colours[name] = style.getPropertyValue('--' + name).trim();
        };
        const FONT = '12px system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif';
        const X0 = () => LEFT, X1 = () => width - RIGHT;
        const xOfPlace = u => X0() + (u - view[0]) / (view[1] - view[0]) * (X1() - X0());
        const x = t => xOfPlace(axis.place(t));
        const timeAt = px => axis.time(view[0] + (px - X0()) / (X1() - X0()) * (view[1] - view[0]));
        const isSeen = t => { const u = axis.place(t); return u >= view[0] && u <= view[1]; };

        const surface = (canvas, height) => {
          const ratio = window.devicePixelRatio || 1;
          if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
            canvas.width = Math.round(width * ratio);
            canvas.height = Math.round(height * ratio);
            canvas.style.height = height + 'px';
          }
          const c = canvas.getContext('2d');
          c.setTransform(ratio, 0, 0, ratio, 0, 0);
          c.clearRect(0, 0, width, height);
          c.font = FONT;
          c.textBaseline = 'middle';
          return c;
        };

        const clipPlot = (c, height) => { c.save(); c.beginPath(); c.rect(X0(), 0, X1() - X0(), height); c.clip(); };

        // A text that ends before `limit`.
        const fit = (c, text, limit) => {
          if (c.measureText(text).width <= limit) return text;
          let end = Math.min(text.length, Math.floor(limit / 4));
          while (end > 0 && c.measureText(text.slice(0, end) + '…').width > limit) end--;
          return end ? text.slice(0, end) + '…' : '';
        };

        // Bands that go through everything: where something is missing.
        const drawBands = (c, height) => {
          let reach = -1e9;
          const bands = G.from.map((from, i) => [x(from), Math.max(x(G.until[i]), x(from) + 2)])
            .filter(([left, right]) => right >= X0() && left <= X1()).sort((a, b) => a[0] - b[0]);
          const edge = at => { c.fillStyle = colours['gap-edge']; c.fillRect(at, 0, 1, height); };
          for (const [left, right] of bands) {
            if (right <= reach) continue;
            if (left > reach + 8) {
              if (reach > X0()) edge(reach - 1);
              edge(left);
            }
            c.fillStyle = colours.gap;
            c.fillRect(Math.max(left, reach), 0, right - Math.max(left, reach), height);
            reach = right;
          }
          if (reach > X0()) edge(reach - 1);
        };
        const drawGrid = (c, height) => {
          c.fillStyle = colours.line;
          for (const tick of ticks) c.fillRect(Math.round(tick.x), 0, 1, height);
        };
        const drawCursor = (c, height) => {
          if (cursor === null) return;
          c.fillStyle = colours.faint;
          c.fillRect(Math.round(cursor), 0, 1, height);
        };
        const drawBrush = (c, height) => {
          if (!brush) return;
          c.fillStyle = colours.focus;
          c.globalAlpha = .16;
          c.fillRect(Math.min(...brush), 0, Math.abs(brush[1] - brush[0]), height);
          c.globalAlpha = 1;
        };

        let ticks = [];
        const findTicks = c => {
          ticks = [];
          let last = -1e9;
          for (let px = X0() + 4; px < X1() - 30; px += 24) {
            const span = timeAt(px + 45) - timeAt(px - 45);
            const step = Math.pow(10, Math.floor(Math.log10(Math.max(span, 1))));
            const t = Math.round(timeAt(px) / step) * step, at = x(t);
            if (at < X0() || at > X1()) continue;
            const text = seconds(t, step * 9);
            const size = c.measureText(text).width;
            if (at - size / 2 < last + 14 || at + size / 2 > X1()) continue;
            last = at + size / 2;
            ticks.push({ x: at, text });
          }
        };

        const MARK = {
          failure: ['bad', '✗'], fault: ['warn', '✕'], clock: ['other', '◷'], scan: ['fork', '▽'],
          status: ['good', '●'], account: ['soft', 'Σ'], signal: ['soft', '■'],
        };
        const drawAxis = () => {
          const height = 66, c = surface($('axis'), height);
          findTicks(c);
          clipPlot(c, height);
          drawBands(c, height);
          c.restore();
          c.textAlign = 'center';
          for (const tick of ticks) {
            c.fillStyle = colours.soft;
            c.fillText(tick.text, tick.x, 10);
            c.fillStyle = colours.line;
            c.fillRect(Math.round(tick.x), 20, 1, height - 20);
          }
          c.textAlign = 'left';
          c.fillStyle = colours.faint;
          c.fillText('seconds after @0', 0, 10);
          c.fillText('collector', 0, 32);
          c.fillText('marks', 0, 54);
          clipPlot(c, height);
          for (let i = 0; i < R.started.length; i++) {
            const ended = R.ended[i] < 0 ? END : R.ended[i];
            const ready = R.ready[i] < 0 ? ended : R.ready[i], stop = R.stop[i] < 0 ? ended : R.stop[i];
            bar(c, R.started[i], ready, 26, 12, 'mute');
            bar(c, ready, stop, 26, 12, 'good');
            bar(c, stop, ended, 26, 12, 'mute');
            targets.push({ x: x(R.started[i]), until: x(ended), y: -34, text: 'collector, run ' + (i + 1) });
          }
          drawMarks(c);
          drawGaps(c);
          drawCursor(c, height);
          drawBrush(c, height);
          c.restore();
          if (cursor !== null) {
            const text = seconds(timeAt(cursor), timeAt(cursor + 20) - timeAt(cursor - 20)) + ' s';
            const size = c.measureText(text).width + 10;
            const left = Math.max(X0(), Math.min(cursor - size / 2, X1() - size));
            c.fillStyle = colours.ink;
            c.fillRect(left, 1, size, 18);
            c.fillStyle = colours.card;
            c.fillText(text, left + 5, 10);
          }
        };
        const bar = (c, from, until, y, height, colour) => {
          const left = Math.max(x(from), X0() - 9), right = Math.min(x(until), X1() + 9);
          if (right < X0() - 8 || left > X1() + 8 || until <= from) return;
          c.fillStyle = colours[colour];
          c.beginPath();
          c.roundRect(left, y, Math.max(right - left, 2), height, 3);
          c.fill();
        };
        const drawMarks = c => {
          c.textAlign = 'center';
          const taken = {};
          for (let i = 0; i < K.time.length; i++) {
            const at = x(K.time[i]), [colour, sign] = MARK[K.kind[i]];
            if (at < X0() - 6 || at > X1() + 6) continue;
            targets.push({ x: at, y: -12, text: K.text[i] + '\n@' + seconds(K.time[i], 1e4) });
            if (taken[sign] !== undefined && at - taken[sign] < 4) continue;
            taken[sign] = at;
            c.fillStyle = colours[colour];
            c.fillText(sign, at, 54);
          }
          c.textAlign = 'left';
        };
        const drawGaps = c => {
          let last = -1e9;
          for (const cluster of clusters) {
            const right = Math.min(x(cluster.until), X1()), left = Math.max(x(cluster.from), X0());
            if (right < X0() || left > X1()) continue;
            targets.push({ x: left, until: right, y: -34, text: cluster.text + '\n' + seconds(cluster.from, 1e4)
              + ' … ' + seconds(cluster.until, 1e4) });
            const size = c.measureText(cluster.text).width, middle = (Math.max(x(cluster.first), X0()) + right) / 2;
            const at = Math.max(X0() + 6, Math.min(middle - size / 2, X1() - size - 6));
            if (at < last + 12) continue;
            last = at + size;
            c.fillStyle = colours.card;
            c.beginPath();
            c.roundRect(at - 7, 22, size + 14, 20, 5);
            c.fill();
            c.strokeStyle = colours['gap-edge'];
            c.lineWidth = 1;
            c.stroke();
            c.fillStyle = colours.bad;
            c.fillText(cluster.text, at, 32.5);
          }
        };

        const drawOverview = () => {
          const height = 44, c = surface($('overview'), height), inner = X1() - X0();
          const columns = Math.max(1, Math.floor(inner / 3));
          const seen = new Float64Array(columns), lost = new Float64Array(columns);
          for (let i = 0; i < M.time.length; i++) {
            const column = Math.min(columns - 1, Math.floor(axis.place(M.time[i]) * columns));
            (M.fate[i] === LOST ? lost : seen)[column]++;
          }
          const peak = Math.max(1, ...seen.map((value, i) => value + lost[i]));
          const size = value => Math.sqrt(value / peak) * (height - 8);
          c.fillStyle = colours.faint;
          c.fillText('whole run', 0, height / 2);
          c.fillStyle = colours.stretch;
          c.fillRect(X0(), 0, inner, height);
          for (let i = 0; i < columns; i++) {
            const all = size(seen[i] + lost[i]), share = lost[i] / ((seen[i] + lost[i]) || 1);
            c.fillStyle = colours['alive-edge'];
            c.fillRect(X0() + i * 3, height - all, 2, all);
            c.fillStyle = colours.bad;
            c.fillRect(X0() + i * 3, height - all, 2, all * share);
          }
          const left = X0() + view[0] * inner, right = X0() + view[1] * inner;
          c.fillStyle = colours.page;
          c.globalAlpha = .7;
          c.fillRect(X0(), 0, left - X0(), height);
          c.fillRect(right, 0, X1() - right, height);
          c.globalAlpha = 1;
          c.strokeStyle = colours.focus;
          c.lineWidth = 1.5;
          c.strokeRect(left + 1, 1, Math.max(right - left - 2, 3), height - 2);
        };

        const CHART = 70;
        const drawCharts = () => {
          const height = D.charts.length * CHART, c = surface($('charts'), height);
          clipPlot(c, height);
          drawBands(c, height);
          drawGrid(c, height);
          c.restore();
          D.charts.forEach((chart, index) => drawChart(c, chart, index * CHART + 8, CHART - 14));
          clipPlot(c, height);
          drawCursor(c, height);
          drawBrush(c, height);
          c.restore();
        };
        const amount = (value, unit) => unit === 'ns' ? duration(value)
          : unit === 'B' ? (value >= 1048576 ? (value / 1048576).toPrecision(3) + ' MiB'
            : value >= 1024 ? (value / 1024).toPrecision(3) + ' KiB' : value + ' B') : String(value);
        const drawChart = (c, chart, top, height) => {
          const isLog = chart.unit === 'ns';
          const most = chart.value.reduce((a, b) => Math.max(a, b), 1);
          const isLimitNear = chart.limit && chart.limit <= most * 6;
          const peak = isLimitNear ? Math.max(chart.limit, most) : most;
          const y = value => top + height - (isLog ? Math.log10(1 + value) / Math.log10(1 + peak) : value / peak)
            * (height - 4);
          c.fillStyle = colours.soft;
          c.fillText(chart.name, 0, top + 8);
          c.fillStyle = colours.faint;
          c.fillText('peak ' + amount(most === 1 && !chart.value.length ? 0 : most, chart.unit), 0, top + 25);
          if (chart.limit) c.fillText('limit ' + amount(chart.limit, chart.unit), 0, top + 42);
          c.fillStyle = colours.line;
          c.fillRect(X0(), top + height, X1() - X0(), 1);
          clipPlot(c, top + height + 1);
          for (let i = 0; i + 1 < chart.alarms.length; i += 2) {
            const left = x(chart.alarms[i]);
            c.fillStyle = colours.bad;
            c.fillRect(left, top + height - 3, Math.max(2, x(chart.alarms[i + 1]) - left), 3);
          }
          c.fillStyle = c.strokeStyle = chart.shape === 'step' ? colours.focus : colours.exec;
          if (chart.shape === 'points') {
            c.globalAlpha = .6;
            for (let i = 0; i < chart.time.length; i++) {
              const at = x(chart.time[i]);
              if (at >= X0() && at <= X1()) c.fillRect(at - 1, y(chart.value[i]) - 1, 2.5, 2.5);
            }
            c.globalAlpha = 1;
          } else if (chart.time.length) {
            c.beginPath();
            c.moveTo(x(chart.time[0]), y(0));
            for (let i = 0; i < chart.time.length; i++) {
              const at = x(chart.time[i]);
              if (i) c.lineTo(at, y(chart.value[i - 1]));
              c.lineTo(at, y(chart.value[i]));
            }
            c.lineTo(x(END), y(chart.value[chart.value.length - 1]));
            c.lineWidth = 1.5;
            c.stroke();
            c.lineTo(x(END), y(0));
            c.globalAlpha = .18;
            c.fill();
            c.globalAlpha = 1;
          }
          if (isLimitNear) {
            c.strokeStyle = colours.bad;
            c.setLineDash([4, 3]);
            c.lineWidth = 1;
            c.beginPath();
            c.moveTo(X0(), y(chart.limit));
            c.lineTo(X1(), y(chart.limit));
            c.stroke();
            c.setLineDash([]);
          }
          c.restore();
          if (cursor !== null) {
            const t = timeAt(cursor);
            let value = null;
            for (let i = 0; i < chart.time.length && chart.time[i] <= t; i++) value = chart.value[i];
            if (value !== null && chart.shape === 'step') {
              c.fillStyle = colours.ink;
              c.fillText(amount(value, chart.unit), Math.min(cursor + 5, X1() - 60), y(value) - 7 < top ? top + 6
                : y(value) - 7);
            }
          }
        };

        """#
}
