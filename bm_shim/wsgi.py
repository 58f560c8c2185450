# SPDX-License-Identifier: Apache-2.0
"""The entry for WSGI servers: ``bm_shim.wsgi:application``.

The configuration is found as :func:`bm_shim.conf.load` says; the command line is the server's.
"""

import gc
import logging
import threading

from oslo_log import log

from bm_shim import conf as configuration
from bm_shim import errors
from bm_shim.api.faults import WSGIApplication
from bm_shim.app import create_app
from bm_shim.inventory import Inventory

LOG = logging.getLogger(__name__)


def make_application() -> WSGIApplication:
    """Read the configuration, set up logging, and return the application.

    What the account of ``[ironic]`` may do is looked at in the background: a service must start
    while Ironic is away.
    """
    conf = configuration.load()
    log.setup(conf, "bm-shim")
    inventory = Inventory(conf)
    application = create_app(conf, inventory)
    threading.Thread(target=_report_rights, args=(inventory,), daemon=True).start()
    # What is loaded by now stays. Looking for garbage in it at each list would cost as much time
    # as a fifth of the list's own work.
    gc.freeze()
    return application


def _report_rights(inventory: Inventory) -> None:
    try:
        inventory.check_rights()
    except errors.ShimError as error:
        LOG.warning("Ironic is not usable yet: %s", error.detail or error)
    else:
        LOG.info("Ironic is usable: the account sees the whole fleet.")


application = make_application()
