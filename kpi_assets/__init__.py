"""KPI reports as a Dagster asset graph.

The way of the data::

    report.yaml -config-> ReportConfig -plan-> ReportPlan       what can fail before a run fails here
    datasource -query-> frame -(window of frames)-> view -> block -> document -> output -> receipt

A query is asked of a datasource and answered with a frame, kept day by day in the frame store. Views turn frames into
blocks, blocks are composed into a document, outputs deliver it. `pipeline` calls these stages in order; `assets` shows
them to Dagster; `cli` is the front door.
"""

__version__ = "0.1.0"
