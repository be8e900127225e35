extension LedgerPage {
  /// The look of the reports: ink on warm paper by day, lamplight on deep blue by night. Contrasts of text against its
  /// background are at least 4.5 to 1 in both (WCAG 2.2, 1.4.3).
  static let style = """
    :root{color-scheme:light dark;--paper:#f5f1e9;--card:#fffdf8;--ink:#1b2139;--soft:#5a6078;--rule:#e4dccd;\
    --field:#fff;--edge:#8d8677;--accent:#ad4a12;--on:#fff;--in:#0b6b51;--bad:#a3202c}
    @media(prefers-color-scheme:dark){:root{--paper:#0c1022;--card:#141a31;--ink:#ece8df;--soft:#a6adc6;\
    --rule:#28304d;--field:#0f1529;--edge:#6b749a;--accent:#ffb35c;--on:#1b1206;--in:#4fe3b0;--bad:#ff9c9c}}
    *{box-sizing:border-box;margin:0}
    [hidden]{display:none!important}
    html{-webkit-text-size-adjust:100%}
    body{background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,\
    "Helvetica Neue",Arial,sans-serif;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
    .page{max-width:1264px;margin:0 auto;padding:0 clamp(16px,3vw,32px)}
    h1,h2,.brand,.summary b,.holds{font-family:"Iowan Old Style","Palatino Linotype",Palatino,"URW Palladio L",\
    "Book Antiqua",Georgia,"DejaVu Serif",serif;font-weight:500}
    header{color:#fff;padding:clamp(28px,4.5vw,56px) 0 clamp(26px,3.6vw,44px);\
    background:linear-gradient(#121735 0%,#2b2a5e 38%,#6b3f74 66%,#b8584f 88%,#b05a35 100%)}
    .brand{font-style:italic;font-size:1.05rem;letter-spacing:.04em;color:#ffd9a8}
    h1{font-size:clamp(1.75rem,4.2vw,2.7rem);line-height:1.15;letter-spacing:-.01em;margin:.25em 0 .3em;\
    text-shadow:0 1px 18px #12173599}
    .subtitle{max-width:40em;text-wrap:balance;text-shadow:0 0 12px #121735,0 0 3px #121735}
    h2{font-size:clamp(1.4rem,2.6vw,1.8rem);line-height:1.25}
    .lead,.soft,dt{color:var(--soft)}
    .soft{font-size:.88rem}
    .summary{display:flex;flex-wrap:wrap;gap:1px;margin:24px 0 0;background:var(--rule);\
    border:1px solid var(--rule);border-radius:14px;overflow:hidden}
    .summary div{background:var(--card);padding:14px 18px 13px;flex:1 1 calc(25% - 1px)}
    dt{font-size:.8rem;letter-spacing:.02em}
    dd b{display:block;font-size:1.6rem;line-height:1.3}
    dd small{display:block;color:var(--soft);font-size:.78rem;line-height:1.4}
    .card{background:var(--card);border:1px solid var(--rule);border-radius:14px;padding:16px 18px}
    details.card{margin-top:16px;padding:0 18px}
    summary{cursor:pointer;padding:11px 0;color:var(--soft);font-size:.9rem}
    .keys dd{margin:2px 0 14px}
    .keys ul{list-style:none;padding:0}
    code,.key{font:.82rem/1.6 ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;\
    overflow-wrap:anywhere}
    .columns{display:grid;grid-template-columns:minmax(280px,2fr) minmax(0,5fr);gap:32px;margin-top:40px;\
    align-items:start}
    .columns>section:only-child,#pay[hidden]+section{grid-column:1/-1}
    section>.card,section>form{margin-top:16px}
    label{display:block;font-size:.84rem;color:var(--soft);margin-bottom:12px}
    input,select{display:block;width:100%;min-height:44px;margin-top:4px;padding:8px 12px;font:inherit;\
    font-size:1rem;color:var(--ink);background:var(--field);border:1px solid var(--edge);border-radius:9px}
    input::placeholder{color:var(--soft);opacity:1}
    button{min-height:44px;padding:8px 18px;font:inherit;font-weight:600;color:var(--on);\
    background:var(--accent);border:1px solid transparent;border-radius:9px;cursor:pointer}
    button:disabled{opacity:.55;cursor:progress}
    button.quiet{color:var(--accent);background:none;border-color:var(--edge);margin-top:12px}
    :focus-visible{outline:3px solid var(--accent);outline-offset:2px}
    a{color:var(--accent)}
    .row{display:flex;gap:10px}
    .row input{margin:0;min-width:0;flex:1}
    .chips{display:flex;flex-wrap:wrap;gap:8px;margin-top:10px}
    .chips:empty{display:none}
    .chips button{min-height:36px;padding:4px 14px;border-radius:99px;margin:0;font-weight:500}
    .chips button[aria-pressed=true]{color:var(--on);background:var(--accent);border-color:transparent}
    .who{display:flex;justify-content:space-between;gap:12px;align-items:baseline;font-weight:600}
    .live{font-weight:400;font-size:.82rem;color:var(--soft);flex:none}
    .live::before{content:"";display:inline-block;width:.6em;height:.6em;margin-right:.45em;border-radius:50%;\
    background:var(--edge)}
    .live.on::before{background:var(--in)}
    .holds{font-size:clamp(1.8rem,5vw,2.5rem);line-height:1.25}
    #account-key{display:block;color:var(--soft);margin-top:2px}
    table{width:100%;border-collapse:collapse;margin-top:14px;font-size:.92rem}
    th,td{padding:8px 0 8px 12px;text-align:right;border-bottom:1px solid var(--rule);vertical-align:baseline}
    thead th{color:var(--soft);font-weight:500;font-size:.84rem}
    tbody tr:last-child td{border-bottom:0}
    th:first-child,td:first-child{padding-left:0;text-align:left;color:var(--soft)}
    th:nth-child(2),th:nth-child(3),td.with,td.memo{text-align:left}
    td.amount,td.balance,td.proof{white-space:nowrap}
    td.memo{max-width:18em}
    .amount{font-weight:600}
    .in .amount{color:var(--in)}
    .payments{list-style:none;padding:0;margin-top:14px}
    .payments li{padding:10px 0;border-bottom:1px solid var(--rule);font-size:.92rem}
    .payments b{display:block;font-weight:600}
    .final b{color:var(--in)}
    .refused b{color:var(--bad)}
    .alert{margin-top:20px;padding:12px 16px;border:1px solid var(--bad);border-radius:10px;color:var(--bad);\
    background:var(--card)}
    footer.page{margin-top:44px;padding-bottom:36px;color:var(--soft);font-size:.84rem}
    @media(max-width:900px){.columns{grid-template-columns:minmax(0,1fr)}.columns>section{grid-column:1/-1}}
    @media(max-width:680px){.summary div{flex-basis:calc(50% - 1px);padding:12px 14px}dd b{font-size:1.3rem}\
    thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}\
    tr{display:grid;grid-template-columns:2.4em minmax(0,1fr) auto;gap:0 8px;padding:9px 0;\
    border-bottom:1px solid var(--rule)}tbody tr:last-child{border:0}td{border:0;padding:0}td.memo{order:1;\
    grid-column:2;color:var(--soft);font-size:.88rem}td.balance{order:2;color:var(--soft);font-size:.88rem}\
    td.proof{order:3;grid-column:2;text-align:left;font-size:.88rem}}
    """
}
