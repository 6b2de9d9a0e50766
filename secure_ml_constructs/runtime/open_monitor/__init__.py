"""Watches a model by what its endpoint captured: a job that runs beside it, `python -m open_monitor`.

`baseline` reads the data that a model was accepted with, once. `monitor` streams captures through the same
counters and compares. Nothing here holds rows: memory depends on the number of columns, not on the traffic.
The folder runs by itself, with the packages of `open_monitor.txt`.
"""
