# SPDX-License-Identifier: Apache-2.0
"""The report as one HTML page that needs nothing else: no scripts, no fonts, no network."""

from datetime import UTC, datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

from bm_shim.callers import charts
from bm_shim.callers.report import Report
from bm_shim.callers.successors import SUCCESSORS, name_of
from bm_shim.callers.text import minute, visible

#: So many callers are shown; a browser would choke on all that :mod:`tally` tells apart.
MOST_SHOWN = 1000

#: Operations beyond this share the last colour of the page.
_COLOURS = 8


def render(report: Report, *, now: datetime | None = None) -> str:
    """Return the page.

    :param now: when it is made
    """
    environment = Environment(
        # Whatever callers write into their headers is shown, and never markup.
        autoescape=True,
        loader=PackageLoader("bm_shim.callers", "."),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(minute=minute, name_of=name_of, visible=visible)
    operations = list(report.operations)
    period = report.period
    return environment.get_template("page.html").render(
        report=report,
        period=period,
        shown=report.entries[:MOST_SHOWN],
        colours={each: min(i, _COLOURS - 1) for i, each in enumerate(operations)},
        successors=SUCCESSORS,
        chart=period and charts.columns(report.hours, operations, period, width=980, height=220),
        sparklines=period
        and [
            charts.sparkline(entry.days, period, width=150, height=22)
            for entry in report.entries[:MOST_SHOWN]
        ],
        now=now or datetime.now(UTC),
    )
