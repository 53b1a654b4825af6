"""The data sets on one committed page, and contact sheets of what a network is given.

    registry.py   DATASETS: one row for each data set: where its sample comes from, how it is drawn, its words
    dataset.py    what such a row consists of
    samples.py    batches, first samples of each class, which forms of a set are here
    pictures.py, speech.py, bidmc.py, tokens.py, probes.py   what is gathered for a kind of sheet, and how that is drawn
    layout.py     what the sheets have in common: strips, the balance of classes, histograms, PNG
    contact.py    all sheets that can be drawn, in a folder with one HTML page
    record.py     statistics.json: what was counted and measured;  measure.py  how
    page.py, words.py, generators.py   the committed page in Markdown: sets and cards, its cells, generators beside their references

The page, its record and its pictures are in reports/data.
"""
