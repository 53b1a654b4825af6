"""Records in; tables, figures and one self-contained HTML page out.

    frame.py    records looked up by id -> one tidy pandas frame, holes included
    stats.py    mean, spread, t interval, differences paired by seed, Holm's correction
    table.py    a Table -> text, Markdown, CSV, HTML, LaTeX
    tables.py   which tables there are: rows judged against the best, grids, effects
    style.py    colours, markers and rcParams, the same for a variant in every figure
    plots.py    frames and arrays -> matplotlib Figures
    page.py     sections -> one HTML file (page.html.j2)
    render.py   what each report consists of, and where its files go
    combine.py  several reports as one;  markdown.py, readme.py  a report as Markdown, and in the README
    benchmark.py  the report of a benchmark (that of a grid is ablations/report.py)
    family.py   several benchmarks side by side, as papers print them
    evidence.py what is done with a report: shown, or committed with its records
    datasets/   data cards, counts, generators beside their references, contact sheets (data/ holds the committed page)

Nothing here trains, and nothing here imports Lightning. A number is printed only if a record holds it.
"""

FORMATS = ("csv", "latex", "pdf")
"""What can be had besides HTML, Markdown, text, SVG and PNG: tables with every digit, tables for a paper, figures for a paper."""
