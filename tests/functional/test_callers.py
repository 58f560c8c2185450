# SPDX-License-Identifier: Apache-2.0
"""``bm-shim callers`` on the log of a real shim."""

import json
import time
from uuid import uuid4

from click.testing import CliRunner

from bm_shim.cmd.callers import callers

from .support import Api, Cloud


def test_the_log_of_a_service(cloud: Cloud) -> None:
    """Whoever called, and whoever was not let in, in the log as oslo.log writes it."""
    began = time.time()
    with cloud.shim("called") as shim:
        cloud.api_of(shim).list()
        cloud.api_of(shim, prefix="/v2").show(uuid4())
        cloud.api_of(shim, cloud.sandbox.member).delete("42")
        Api(shim.url, "no-such-token").create()
        log = shim.log_path
    result = CliRunner().invoke(callers, ["--format", "json", str(log)])
    made = json.loads(result.stdout)
    assert time.strftime("%Y-%m-%dT%H:%M", time.gmtime(began)) <= made["first"]
    assert (made["calls"], made["failed"], made["unreadable_lines"]) == (4, 3, 0)
    found = {
        (each["user"]["name"], each["project"]["name"]): {
            usage["operation"]: (usage["calls"], usage["failed"]) for usage in each["operations"]
        }
        for each in made["callers"]
    }
    assert found == {
        ("admin", "admin"): {"list": (1, 0), "show": (1, 1)},
        ("demo", "demo"): {"delete": (1, 1)},
        (None, None): {"create": (1, 1)},
    }
