"""The report's one style sheet: plain, high contrast, no web font, and black on white on paper."""

from __future__ import annotations

STYLE = """
:root{color-scheme:light}
*{box-sizing:border-box}
body{margin:0;font:16px/1.5 Arial,Helvetica,sans-serif;color:#0b0c0c;background:#fff}
header{background:#0b0c0c;color:#fff;border-bottom:10px solid #1d70b8}
header .product{margin:0 auto;padding:12px 16px;max-width:1200px;font-weight:700}
main,footer{max-width:1200px;margin:0 auto;padding:16px}
h1{font-size:32px;line-height:1.2;overflow-wrap:anywhere}
h2{font-size:24px;margin:32px 0 8px}
h3{font-size:19px;margin:16px 0 4px}
.lead{font-size:22px;line-height:1.35;font-weight:700}
.verdict{border-left:10px solid #505a5f;padding:8px 16px;margin:16px 0}
.verdict.found{border-color:#942514}
.verdict h2{margin-top:0}
.bar{display:block;width:100%;height:24px;border:1px solid #0b0c0c}
.bar .read{fill:#1d70b8}.bar .missed{fill:#f47738}.bar .rest{fill:#f3f2f1}
.box{display:inline-block;width:14px;height:14px;border:1px solid #0b0c0c;margin:0 6px 0 12px;vertical-align:-2px}
.box.read{background:#1d70b8}.box.missed{background:#f47738}.box.rest{background:#f3f2f1}
.scroll{overflow-x:auto;margin:16px 0}
.scroll:focus{outline:3px solid #fd0}
table{border-collapse:collapse;width:100%;font-size:15px}
caption{text-align:left;font-weight:700;padding:8px 0}
th,td{text-align:left;vertical-align:top;padding:6px 12px 6px 0;border-bottom:1px solid #b1b4b6}
thead th{border-bottom:2px solid #0b0c0c}
tbody th{font-weight:400}
code,.path{font-family:Consolas,"Liberation Mono",monospace;font-size:14px;overflow-wrap:anywhere}
dl>div{display:grid;grid-template-columns:minmax(180px,1fr) 3fr;border-bottom:1px solid #b1b4b6;padding:6px 0}
dt{font-weight:700}
dd{margin:0;overflow-wrap:anywhere}
small{color:#505a5f;font-size:14px}
.skip{position:absolute;left:-9999px}
.skip:focus{left:8px;top:8px;background:#fd0;color:#0b0c0c;padding:8px}
footer{border-top:2px solid #1d70b8;color:#505a5f}
@page{size:A4 landscape;margin:14mm 12mm}
@media print{
body{font-size:12px}
main,footer,header .product{max-width:none;padding:0}
h1{font-size:24px}
h2{font-size:18px;margin:20px 0 6px}
h3{font-size:14px}
.lead{font-size:16px}
header{background:none;color:#000}
.scroll{overflow:visible}
table{font-size:10px}
code,.path,small{font-size:9px}
tr{break-inside:avoid}
thead{display:table-header-group}
h2{break-after:avoid}
}
"""
