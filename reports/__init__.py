"""Records in; tables, figures and one self-contained HTML page out.

    request.py    a report that was asked for: its runs, how it is built, the words that ask for it
    benchmark.py  one benchmark, a row per variant      family.py      several benchmarks side by side
    grid.py       the cells of an ablation grid         everything.py  all of them on one page
    changed.py    records of no recipe, by the row that they are nearest to
    overview.py   all benchmarks at quick scale: every row on each, a picture, and the table for choosing one; standings.py their runs
    speed.py      sessions of benchmarks.speed          profile.py     where the time of a training step goes
    evidence.py   what is done with a report: shown, or committed with its records
    committed.py  which reports are committed           readme.py      reports/README.md, and the block in README.md
    frame.py      every record as a pandas frame, for notebooks     export.py      the same as files for other programs
    sections/     what a report is made of: tables, figures and words of one thought, a file each
    parts/        what sections are made of:
        frame.py         records looked up by id -> one tidy pandas frame, holes included
        metric.py        how a score is read and printed        judge.py   rows against the best of them and chance.py
        stats.py         mean, spread, t interval, differences paired by seed, Holm's correction
        fingerprints.py  the arrays of the records              dots.py    rows of dots, how every score is drawn
        table.py         text, Markdown, CSV, HTML, LaTeX       figure.py  what every figure shares
        style.py         colours, markers and rcParams, the same for a variant in every figure
        report.py        what a report is -> page.py (HTML), markdown.py, files.py, pages.py (many)
    datasets/     data cards, counts, generators beside their references, contact sheets (data/ holds the committed page)

Nothing here trains, and nothing here imports Lightning. A number is printed only if a record holds it.
"""

import os

os.environ["MPLBACKEND"] = "agg"  # figures are drawn into files; a backend that the user named and that is not there is no error

FORMATS = ("csv", "latex", "pdf")
"""What can be had besides HTML, Markdown, text, SVG and PNG: tables with every digit, tables for a paper, figures for a paper."""
