# SPDX-License-Identifier: Apache-2.0
"""The shim itself, under gunicorn as in production."""

from typing import ClassVar

from bm_shim.sandbox.address import Address
from bm_shim.sandbox.credentials import Credentials
from bm_shim.sandbox.environment import for_part
from bm_shim.sandbox.gunicorn import GunicornPart
from bm_shim.sandbox.home import Home
from bm_shim.sandbox.keystone import REGION
from bm_shim.sandbox.options import Options, merged
from bm_shim.sandbox.process import Program


class Shim(GunicornPart):
    """A bm-shim with an account and a configuration file of its own."""

    title: ClassVar[str] = "bm-shim"
    application: ClassVar[str] = "bm_shim.wsgi:application"
    # As in deploy/gunicorn.conf.py.
    threads = 64

    def __init__(
        self, name: str, home: Home, address: Address, service: Credentials, workers: int = 1
    ) -> None:
        """Describe it.

        :param service: the account with which it checks tokens and, in system scope, calls
            Ironic.
        :param workers: gunicorn processes.
        """
        super().__init__(name, home, address)
        self._service = service
        self.workers = workers
        #: Options for the next start, over those of the sandbox; a None unsets one.
        self.overrides: Options = {}

    def program(self) -> Program:
        """Write the configuration and return the gunicorn to run."""
        file_name = "bm-shim.conf" if self.name == "shim" else f"{self.name}.conf"
        options = merged(self._options(), self.overrides)
        config = self.home.write_config(file_name, options)
        return self.gunicorn({**for_part(options=True), "BM_SHIM_CONFIG": str(config)})

    def _options(self) -> Options:
        return {
            "keystone_authtoken": {
                **self._service.options,
                "www_authenticate_uri": self._service.auth_url,
                "service_type": "compute",
            },
            "ironic": {
                # By default Ironic lets only an administrator of the system delete nodes and
                # touch ports; this is what a real cloud has to grant the shim, too.
                **self._service.for_system().options,
                "region_name": REGION,
                "valid_interfaces": "public",
            },
            "enroll": {"driver": "fake-hardware"},
            # No Nova answers at its address.
            "api": {"serve_instances": True},
            "identity_bridge": {"enabled": True},
        }
