"""What every report is made of: the frame of runs, judged rows, statistics, tables, figures, and the page."""
