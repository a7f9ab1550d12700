/// The look of a page, light and dark.
enum HTMLReportStyle {
    static let text = #"""
        :root {
          color-scheme: light dark;
          --page: #f7f8fa; --card: #ffffff; --ink: #16191d; --soft: #59616b; --faint: #8b939d; --line: #e2e6ea;
          --good: #11806a; --good-bg: #e3f4ef; --bad: #c8312f; --bad-bg: #fdeaea; --warn: #b26a00;
          --mute: #b6bec8; --alive: #cfd8e3; --alive-edge: #8fa2b8; --own: #d7d2f3;
          --fork: #2a78d6; --exec: #178a5c; --exit: #d78a00; --other: #8a4fc7; --derived: #d0478a; --base: #7b8794;
          --gap: rgba(200, 49, 47, .13); --gap-edge: rgba(200, 49, 47, .55); --stretch: #eef1f5; --focus: #2a78d6;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --page: #101316; --card: #181c21; --ink: #e7eaee; --soft: #a2abb6; --faint: #6f7985; --line: #2a3038;
            --good: #3cc3a0; --good-bg: #12302a; --bad: #ff6b68; --bad-bg: #3a1a1b; --warn: #f0a53a;
            --mute: #4d5763; --alive: #36414e; --alive-edge: #5f7288; --own: #403a68;
            --fork: #5a9cf0; --exec: #3fbf8a; --exit: #f0b13c; --other: #b288ea; --derived: #f07cb0; --base: #94a0ad;
            --gap: rgba(255, 107, 104, .17); --gap-edge: rgba(255, 107, 104, .6); --stretch: #1f252c;
            --focus: #5a9cf0;
          }
        }
        * { box-sizing: border-box; }
        body {
          margin: 0 auto; padding: 20px 24px 60px; max-width: 1720px; background: var(--page); color: var(--ink);
          font: 14px/1.45 system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif;
        }
        h1 { font-size: 22px; margin: 0; letter-spacing: -.01em; }
        h2 { font-size: 15px; margin: 0 0 8px; letter-spacing: -.005em; }
        small { color: var(--soft); font-weight: 400; font-size: .8em; }
        p { margin: 4px 0; }
        section, header {
          background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px;
          margin: 0 0 14px; min-width: 0;
        }
        header { display: flex; gap: 18px; align-items: center; flex-wrap: wrap; border-left-width: 6px; }
        header.pass { border-left-color: var(--good); }
        header.fail { border-left-color: var(--bad); }
        header .title { flex: 1 1 420px; min-width: 0; }
        header .title p { color: var(--soft); }
        .verdict { font-size: 20px; font-weight: 700; padding: 8px 16px; border-radius: 8px; }
        .pass .verdict { color: var(--good); background: var(--good-bg); }
        .fail .verdict { color: var(--bad); background: var(--bad-bg); }
        .facts { display: flex; flex-wrap: wrap; gap: 4px 26px; margin: 0; flex: 1 1 100%; }
        .facts div { min-width: 0; }
        dt { color: var(--faint); font-size: 12px; }
        dd { margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
        .oracles, .probes { display: flex; flex-wrap: wrap; gap: 8px; list-style: none; padding: 0; margin: 0 0 14px; }
        .probes { margin: 0; }
        .oracles li, .probes li {
          background: var(--card); border: 1px solid var(--line); border-radius: 99px; padding: 3px 12px 3px 10px;
        }
        .oracles span { color: var(--faint); font-size: 12px; }
        .oracles .pass b { color: var(--good); }
        .oracles .fail { border-color: var(--bad); background: var(--bad-bg); }
        .oracles .fail b, .oracles .fail span { color: var(--bad); }
        .failures { border-color: var(--bad); }
        .failures ol { margin: 0; padding-left: 20px; }
        .failures b { color: var(--bad); }
        .failures span { color: var(--soft); }
        pre { font: 12px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; margin: 4px 0; white-space: pre-wrap;
          overflow-wrap: anywhere; }
        .accounts { display: grid; grid-template-columns: repeat(auto-fit, minmax(440px, 1fr)); gap: 14px 32px; }
        figure { margin: 0; min-width: 0; }
        figcaption span { color: var(--soft); margin-left: 6px; }
        figcaption em { font-style: normal; margin-left: 6px; }
        em.pass { color: var(--good); }
        em.fail { color: var(--bad); font-weight: 700; }
        .stack { display: flex; gap: 2px; height: 18px; margin: 6px 0; }
        .stack i { min-width: 3px; border-radius: 3px; flex-basis: 0; }
        i.good { background: var(--good); } i.bad { background: var(--bad); }
        i.warn { background: var(--warn); } i.mute { background: var(--mute); }
        figure ul { display: flex; flex-wrap: wrap; gap: 2px 18px; list-style: none; margin: 0; padding: 0;
          color: var(--soft); font-size: 13px; }
        figure li i { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 6px; }
        figure li b { color: var(--ink); font-variant-numeric: tabular-nums; font-weight: 600; }
        .remark { color: var(--faint); }
        .bar { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; margin-bottom: 8px; }
        .bar h2 { margin: 0; }
        .jumps { display: flex; flex-wrap: wrap; gap: 6px; flex: 1 1 auto; min-width: 0; }
        .tools { display: flex; gap: 6px; align-items: center; margin-left: auto; color: var(--soft); }
        button, input[type=search] {
          font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--line); border-radius: 6px;
          padding: 2px 9px;
        }
        button { cursor: pointer; }
        button:hover { border-color: var(--faint); }
        button:disabled { opacity: .4; cursor: default; }
        :focus-visible { outline: 2px solid var(--focus); outline-offset: 1px; }
        .jumps button { font-size: 12px; border-radius: 99px; }
        .jumps .gap, .jumps .failure { color: var(--bad); border-color: var(--gap-edge); }
        input[type=search] { width: 130px; }
        .legend { display: flex; flex-wrap: wrap; gap: 2px 16px; color: var(--soft); font-size: 12px; margin-bottom: 6px; }
        .legend span { display: inline-flex; align-items: center; gap: 5px; }
        .legend canvas { width: 16px; height: 14px; }
        .plot { position: relative; }
        .plot canvas { display: block; width: 100%; }
        #overview { cursor: ew-resize; touch-action: none; }
        #lanes { position: sticky; top: 0; cursor: crosshair; touch-action: pan-y; }
        .rows { max-height: 460px; overflow-y: auto; overflow-x: hidden; border-bottom: 1px solid var(--line);
          scrollbar-width: thin; }
        .tip {
          position: absolute; z-index: 2; pointer-events: none; max-width: 460px; background: var(--ink);
          color: var(--card); border-radius: 6px; padding: 6px 10px; font-size: 12px; line-height: 1.4;
          overflow-wrap: anywhere; white-space: pre-line; box-shadow: 0 4px 16px rgba(0, 0, 0, .25);
        }
        .note, .none { color: var(--soft); font-size: 12px; }
        .columns { display: grid; grid-template-columns: minmax(0, 5fr) minmax(0, 6fr); gap: 14px; align-items: start; }
        @media (max-width: 1000px) { .columns { grid-template-columns: minmax(0, 1fr); } }
        .scroll { overflow: auto; max-height: 430px; }
        .source { max-height: 900px; }
        table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 13px; }
        th { text-align: left; font-weight: 500; color: var(--faint); font-size: 12px; position: sticky; top: 0;
          background: var(--card); }
        th, td { padding: 2px 12px 2px 0; vertical-align: top; border-bottom: 1px solid var(--line); }
        td { overflow-wrap: anywhere; }
        #events td:nth-child(-n+3) { white-space: nowrap; }
        #events td:last-child, .source td { font: 12px/1.55 ui-monospace, "DejaVu Sans Mono", monospace; }
        #events tr.on td { background: var(--stretch); }
        .source td { border: 0; padding: 0 10px 0 0; white-space: pre-wrap; }
        .source td:first-child { color: var(--faint); text-align: right; width: 1%; white-space: nowrap; }
        .source td:nth-child(2) { width: 1%; }
        .source .top { font-weight: 700; }
        .source .pass span { color: var(--good); font-weight: 700; }
        .source .fail td { background: var(--bad-bg); }
        .source .fail span, .source .why { color: var(--bad); }
        .source tr:target td { background: var(--stretch); }
        button.time { border: 0; padding: 0; background: none; color: var(--fork); font-size: inherit;
          font-family: inherit; text-decoration: underline dotted; text-underline-offset: 2px; white-space: nowrap; }
        a { color: var(--fork); }
        .dot { display: inline-block; width: 9px; height: 9px; border-radius: 99px; margin-right: 6px; }
        @media print { .tools, .jumps, .tip { display: none; } .rows, .scroll { max-height: none; } }

        """#
}
