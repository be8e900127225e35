/// The look of every report: starlings at dusk. Ink on warm paper by day, lamplight on deep blue by night.
enum ReportStyle {
  /// The style sheet.
  ///
  /// Contrasts of text against its background are at least 4.5 to 1 in both schemes (WCAG 2.2, 1.4.3).
  static let sheet = """
    :root{color-scheme:light dark;--paper:#f5f1e9;--card:#fffdf8;--ink:#1b2139;--soft:#5a6078;--rule:#e4dccd;\
    --accent:#ad4a12;--foe:#0b6b51;--bar:#45568f;--area:#45568f22}
    @media(prefers-color-scheme:dark){:root{--paper:#0c1022;--card:#141a31;--ink:#ece8df;--soft:#a6adc6;\
    --rule:#28304d;--accent:#ffb35c;--foe:#4fe3b0;--bar:#8496dc;--area:#8496dc2b}}
    *{box-sizing:border-box;margin:0}
    html{-webkit-text-size-adjust:100%}
    body{background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,\
    "Helvetica Neue",Arial,sans-serif;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
    .page{max-width:1264px;margin:0 auto;padding:0 clamp(16px,3vw,32px)}
    h1,h2,.brand,.summary b{font-family:"Iowan Old Style","Palatino Linotype",Palatino,"URW Palladio L",\
    "Book Antiqua",Georgia,"DejaVu Serif",serif}
    header{position:relative;overflow:hidden;color:#fff;padding:clamp(40px,7vw,84px) 0 clamp(36px,5vw,64px);\
    background:linear-gradient(#121735 0%,#2b2a5e 38%,#6b3f74 66%,#b8584f 88%,#b05a35 100%)}
    header .page{position:relative}
    .flock{position:absolute;inset:0;width:100%;height:100%}
    .brand{font-style:italic;font-size:1.05rem;letter-spacing:.04em;color:#ffd9a8}
    h1{font-weight:500;font-size:clamp(1.75rem,4.2vw,2.9rem);line-height:1.15;letter-spacing:-.01em;\
    margin:.3em 0 .35em;max-width:24em;text-wrap:balance;text-shadow:0 1px 18px #12173599}
    .subtitle{max-width:40em;color:#fff;font-size:1.06rem;text-shadow:0 0 12px #121735,0 0 3px #121735}
    .command{display:flex;gap:12px;align-items:baseline;margin:28px 0 0;color:var(--soft);font-size:.86rem}
    .command>span{flex:none}
    code{font:.95em/1.6 ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;color:var(--ink);\
    white-space:pre-wrap;min-width:0}
    code span{display:inline-block;max-width:100%}
    .summary{display:flex;flex-wrap:wrap;gap:1px;margin:24px 0 0;background:var(--rule);\
    border:1px solid var(--rule);border-radius:14px;overflow:hidden}
    .summary div{background:var(--card);padding:16px 18px 15px;flex:1 1 calc(100%/var(--columns) - 1px)}
    dt{color:var(--soft);font-size:.8rem;letter-spacing:.02em}
    dd b{display:block;font-weight:500;font-size:1.75rem;line-height:1.3;font-variant-numeric:tabular-nums lining-nums}
    dd b:not(.long){white-space:nowrap}
    dd b.long{font-size:1.12rem;line-height:1.45;padding:.35em 0 .2em}
    dd small{display:block;color:var(--soft);font-size:.78rem;line-height:1.4}
    section{margin-top:clamp(44px,6vw,72px)}
    h2{font-weight:500;font-size:clamp(1.4rem,2.6vw,1.8rem);line-height:1.25}
    .subtitle{text-wrap:balance}
    .lead,.note,figcaption p,dd small{text-wrap:pretty}
    .lead{color:var(--soft);max-width:46em;margin-top:6px}
    .items{display:grid;grid-template-columns:repeat(6,1fr);gap:20px;margin-top:22px;align-items:stretch}
    .items>*{grid-column:span 2;min-width:0}
    .items>.plate{grid-column:span 3}
    .items>.wide{grid-column:span 4}
    .items>.note,.items>.full,.items>.wide:only-child,.items>.plate:only-child{grid-column:1/-1}
    .card,.plate{background:var(--card);border:1px solid var(--rule);border-radius:14px;overflow:hidden}
    .card{padding:16px 18px 14px}
    h3{font-size:1rem;font-weight:600;line-height:1.35}
    figcaption{color:var(--soft);font-size:.86rem;line-height:1.5}
    .card figcaption p{margin-top:6px}
    .plate figcaption{padding:14px 18px 16px}
    .plate h3{color:var(--ink)}
    .plate p{margin-top:4px}
    .sky{background:linear-gradient(#0b1026,#1d1b3d)}
    svg{display:block}
    .sky svg{width:100%;height:auto;max-height:94vh}
    .plate:only-child svg{max-height:min(82vh,860px)}
    .chart{width:100%;height:auto;margin-top:8px;font-size:13px}
    .chart text{fill:var(--soft)}
    .grid{stroke:var(--rule);stroke-width:1}
    .tick,.base{stroke:var(--soft);stroke-width:1;stroke-opacity:.55}
    .bars{fill:var(--bar)}
    .bars rect:hover{fill:var(--accent)}
    .marker path{stroke:var(--accent);stroke-width:1.8;stroke-dasharray:5 4}
    .marker .halo{stroke:var(--card);stroke-width:4.5;stroke-dasharray:none}
    .marker text{fill:var(--accent);font-weight:600}
    .line{fill:none;stroke:var(--accent);stroke-width:2.2;stroke-linejoin:round}
    .area{fill:var(--area)}
    .fault .bar{fill:var(--accent)}
    .fault .shade{fill:var(--accent);fill-opacity:.04}
    .chart .fault text,.chart .track{fill:var(--ink)}
    .chart .fault .on{fill:var(--card)}
    .dots circle{fill:var(--bar)}
    .medium,.narrow{display:none}
    .measures{display:flex;flex-wrap:wrap;gap:2px 16px}
    .measures i{font-style:normal}
    .measures b{font-weight:600;color:var(--ink)}
    .legend{display:flex;flex-wrap:wrap;gap:2px 12px;list-style:none;padding:0;margin:6px 0 2px}
    .legend i{display:inline-block;width:.72em;height:.72em;border-radius:50%;margin-right:5px;\
    box-shadow:0 0 0 1px #0003}
    .legend .foe{border-radius:1px;transform:rotate(45deg) scale(.86)}
    .foe .bar{fill:var(--foe)}
    .foe .shade{fill:var(--foe)}
    table{width:100%;border-collapse:collapse;margin-top:8px;font-size:.92rem}
    th,td{padding:7px 0 7px 12px;text-align:right;border-bottom:1px solid var(--rule);vertical-align:baseline}
    tbody tr:last-child>*{border-bottom:0}
    td{white-space:nowrap}
    td.long{white-space:normal;word-break:break-all;font:.88em/1.5 ui-monospace,"SF Mono",Menlo,Consolas,\
    "DejaVu Sans Mono",monospace}
    thead th{color:var(--soft);font-weight:500;font-size:.84rem}
    th:first-child{text-align:left;padding-left:0}
    tbody th{font-weight:500}
    .empty{color:var(--soft);padding:24px 0}
    .note{max-width:60em;font-size:.92rem;color:var(--soft)}
    footer.page{margin-top:clamp(44px,6vw,72px);padding-bottom:36px;color:var(--soft);font-size:.84rem}
    @media(max-width:1020px){.items{grid-template-columns:repeat(2,1fr)}.items>*{grid-column:span 1!important}\
    .items>.wide,.items>.full,.items>.note,.items>.plate{grid-column:1/-1!important}\
    .summary div{flex-basis:calc(100%/3 - 1px)}.broad{display:none}.medium{display:block}}
    @media(max-width:680px){.items{grid-template-columns:minmax(0,1fr);gap:16px}.items>*{grid-column:1/-1!important}\
    .summary div{padding:13px 14px;flex-basis:calc(50% - 1px)}dd b{font-size:1.45rem}\
    .medium{display:none}.narrow{display:block}\
    .command{display:block}.command code{display:block}\
    .wide thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}\
    .wide tr{display:grid;grid-template-columns:repeat(4,minmax(0,1fr));gap:4px 10px;padding:10px 0;\
    border-bottom:1px solid var(--rule)}.wide tbody tr:last-child{border:0}\
    .wide th,.wide td{border:0;padding:0;text-align:left;white-space:normal}.wide td.long{grid-column:1/-1}.wide tbody th{grid-column:1/-1}\
    .wide td::before{content:attr(data-label);display:block;color:var(--soft);font:.76rem/1.5 system-ui,sans-serif}}
    @media(max-width:680px){.flock{opacity:.5}}
    @media(min-width:681px){.flock{left:auto;width:46%}}
    @media print{header{-webkit-print-color-adjust:exact;print-color-adjust:exact}.card,.plate{break-inside:avoid}}

    """
}
