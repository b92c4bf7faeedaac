"""How a report looks: one column that a phone can show, light or dark as the reader has it."""

STYLE = """
:root { color-scheme: light dark; --ink: #1c1c1c; --quiet: #595959; --paper: #ffffff;
  --line: #cccccc; --bar: #0072b2; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ececec; --quiet: #b0b0b0; --paper: #161616; --line: #484848; --bar: #56b4e9; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 72rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; line-height: 1.2; }
h2 { font-size: 1.25rem; margin-top: 2.5rem; padding-top: .5rem;
  border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1.5rem 0 .5rem; }
p { max-width: 46rem; }
a { color: inherit; }
.scroll { overflow-x: auto; width: fit-content; max-width: 100%; border: 1px solid var(--line); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .875rem; }
caption { text-align: left; padding: .5rem; color: var(--quiet); }
th, td { padding: .25rem .6rem; text-align: left; border-top: 1px solid var(--line);
  vertical-align: top; }
.number { text-align: right; white-space: nowrap; }
.shape { white-space: nowrap; }
.keys { min-width: 16rem; color: var(--quiet); }
.confusion td { text-align: right; }
.confusion td.right { font-weight: bold; text-decoration: underline; }
.bar { display: block; height: .4rem; background: var(--bar); }
.predictions td:last-child, .pairs td:last-child { width: 8rem; padding-top: .7rem; }
figure { margin: 0; }
figcaption { font-size: .8125rem; color: var(--quiet); line-height: 1.35; }
img { display: block; max-width: 100%; height: auto; border: 1px solid var(--line); }
.photo { display: grid; gap: 1rem; align-items: start; }
.photo img { width: min(100%, var(--w)); }
.looks { display: grid; gap: .6rem; grid-template-columns: repeat(3, minmax(0, 1fr)); }
.looks img { width: 100%; }
.small { display: grid; gap: .6rem; grid-template-columns: repeat(var(--narrow), minmax(0, 8rem)); }
.small img { width: 100%; image-rendering: pixelated; }
details { margin: 1rem 0; }
summary { cursor: pointer; padding: .4rem 0; font-weight: 600; }
@media (min-width: 40rem) {
  .photo { grid-template-columns: minmax(0, var(--w)) minmax(20rem, 1fr); }
  .small { grid-template-columns: repeat(var(--middle), minmax(0, 8rem)); }
}
@media (min-width: 64rem) {
  .small { grid-template-columns: repeat(var(--wide), minmax(0, 8rem)); }
}
.medium { display: grid; gap: .8rem; grid-template-columns: repeat(3, minmax(0, 1fr)); }
.medium img { width: 100%; max-height: 10rem; object-fit: contain; image-rendering: pixelated; }
@media (min-width: 40rem) { .medium { grid-template-columns: repeat(6, minmax(0, 1fr)); } }
@media print { .scroll { overflow: visible; }
  details::details-content { content-visibility: visible; block-size: auto; } }
"""
