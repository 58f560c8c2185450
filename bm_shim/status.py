# SPDX-License-Identifier: Apache-2.0
"""What ``bm-shim status upgrade check`` looks at, by oslo.upgradecheck as in all of OpenStack."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import wraps

from keystoneauth1.exceptions import ClientException
from oslo_config import cfg
from oslo_policy.policy import InvalidDefinitionError, RuleDefault
from oslo_upgradecheck.upgradecheck import Code, Result, UpgradeCommands

from bm_shim import conf as configuration
from bm_shim import errors, policy
from bm_shim.app import create_app
from bm_shim.context import RequestContext
from bm_shim.inventory import Inventory
from bm_shim.ironic import API_VERSION, AVAILABLE_API_VERSION, Connection, Ironic
from bm_shim.migrate.errors import without_userinfo
from bm_shim.rights import Rights
from bm_shim.token_check import TokenCheck

#: Seconds by which clocks may differ.
_MOST_SKEW = 30

#: Seconds for each request to Keystone.
_TIMEOUT = 10

#: With one of them Keystone lets an account check the tokens of others.
_CHECKING_ROLES = {"service", "admin"}

#: How many names a message lists.
_MOST_NAMES = 5

_SUCCESS = Result(Code.SUCCESS)

#: What goes wrong where a service, the configuration or an account is not in order.
_EXPECTED = (
    errors.ShimError, errors.ConfigurationError, cfg.Error, ClientException, UnicodeError,
)  # fmt: skip

Check = Callable[["Checks"], Result]


def _guarded(check: Check) -> Check:
    """Take what goes wrong in a check for its result."""

    @wraps(check)
    def guarded(self: "Checks") -> Result:
        try:
            return check(self)
        except _EXPECTED as error:
            return Result(Code.FAILURE, _reason(error))

    return guarded


class Checks(UpgradeCommands):
    """The checks, in the order in which they are shown.

    :param config_files: as for :func:`bm_shim.conf.load`
    """

    def __init__(self, config_files: Sequence[str] | None = None) -> None:
        self._config_files = config_files
        self._loaded: cfg.ConfigOpts | None = None
        self._connection: Connection | None = None
        self._upgrade_checks = (
            ("Configuration", Checks.check_configuration),
            ("Keystone", Checks.check_keystone),
            ("Ironic", Checks.check_ironic),
            ("Right to list all nodes", Checks.check_list_right),
            ("Right to create nodes", Checks.check_create_right),
            ("Driver of new nodes", Checks.check_driver),
            ("Policy", Checks.check_policy),
            ("Clocks", Checks.check_clock),
        )

    @_guarded
    def check_configuration(self) -> Result:
        """Whether the service would start with it."""
        self._loaded = configuration.load(config_files=self._config_files)
        create_app(self._conf, Inventory(self._conf))
        if not self._uses_keystone or self._conf.keystone_authtoken.memcached_servers:
            return _SUCCESS
        return Result(
            Code.WARNING,
            "[keystone_authtoken] has no memcached_servers: each process keeps tokens of its own, "
            "and asks Keystone for each of them.",
        )

    @_guarded
    def check_keystone(self) -> Result:
        """Whether tokens of callers can be checked."""
        if not self._uses_keystone:
            return Result(Code.SUCCESS, "Not asked: [api] auth_strategy is noauth.")
        roles = TokenCheck(self._conf, _TIMEOUT).roles()
        if roles & _CHECKING_ROLES:
            return _SUCCESS
        return Result(
            Code.WARNING,
            "The account of [keystone_authtoken] has neither the role service nor admin; by its "
            "default policy Keystone does not let it check the tokens of others.",
        )

    @_guarded
    def check_ironic(self) -> Result:
        """Whether Ironic answers, in the versions that are spoken to it."""
        root = self._ironic.root()
        spoken = f"It speaks {root.min_version} to {root.max_version}"
        if _version(root.max_version) < _version(API_VERSION):
            return Result(Code.FAILURE, f"{spoken}, and {API_VERSION} is needed.")
        if _version(root.min_version) > _version(AVAILABLE_API_VERSION) and self._writes:
            needed = f"{AVAILABLE_API_VERSION} is needed to create nodes that are available"
            return Result(Code.FAILURE, f"{spoken}, and {needed}.")
        return _SUCCESS

    @_guarded
    def check_list_right(self) -> Result:
        """Whether lists are the whole truth."""
        if self._forwards_tokens:
            return _WITH_OWN_RIGHTS
        Rights(0).ensure_can_list(self._ironic)
        return _SUCCESS

    @_guarded
    def check_create_right(self) -> Result:
        """Whether nodes can be created and given interfaces."""
        if not self._writes:
            return _READ_ONLY
        if self._forwards_tokens:
            return _WITH_OWN_RIGHTS
        try:
            Rights(0).ensure_can_create(self._ironic)
        except errors.NotSetUp as error:
            # Callers who only read do not miss it.
            return Result(Code.WARNING, error.detail)
        return _SUCCESS

    @_guarded
    def check_driver(self) -> Result:
        """Whether Ironic has the driver that new nodes get."""
        if not self._writes:
            return _READ_ONLY
        if self._forwards_tokens:
            return _WITH_OWN_RIGHTS
        driver = self._conf.enroll.driver
        try:
            drivers = self._ironic.list_drivers()
        except errors.ShimError as error:
            # Callers who only read do not miss it; what keeps them from it, other checks say.
            return Result(Code.WARNING, f"Not known: {_reason(error)}")
        if driver in drivers:
            return _SUCCESS
        return Result(
            Code.WARNING,
            f"[enroll] driver is {driver}, which no conductor of Ironic has enabled, so no node "
            f"can be created. There is: {', '.join(sorted(drivers))}.",
        )

    @_guarded
    def check_policy(self) -> Result:
        """Whether the policy file means what it says."""
        option = self._conf.oslo_policy.policy_file
        enforcer = policy.Policy(self._conf).enforcer
        if self._conf.find_file(option) is None:
            return Result(Code.SUCCESS, "There is no policy file; the defaults hold.")
        try:
            enforcer.load_rules(force_reload=True)
            enforcer.check_rules(raise_on_violation=True)
        except InvalidDefinitionError as error:
            return Result(Code.FAILURE, f"Rules that refer to no rule, or in circles: {error}")
        except (AttributeError, TypeError, ValueError) as error:
            return Result(Code.FAILURE, f"{option} cannot be read: {error}")
        return _result_of_rules(enforcer.file_rules)

    @_guarded
    def check_clock(self) -> Result:
        """Whether this machine has the same time as Keystone and Ironic."""
        ask: dict[str, Callable[[], str | None]] = {"Ironic": lambda: self._ironic.root().date}
        if self._uses_keystone:
            ask["Keystone"] = lambda: TokenCheck(self._conf, _TIMEOUT).ping().date
        found = {name: _skew(date) for name, date in ask.items()}
        off = [
            f"{name}'s is {abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}"
            for name, skew in found.items()
            if skew is not None and abs(skew) > _MOST_SKEW
        ]
        if off:
            return Result(Code.WARNING, f"Clocks differ from this machine's: {', '.join(off)}.")
        unknown = [name for name, skew in found.items() if skew is None]
        if unknown:
            return Result(Code.SUCCESS, f"Not known: that of {' and '.join(unknown)}.")
        return _SUCCESS

    @property
    def _conf(self) -> cfg.ConfigOpts:
        """The configuration, which the first check loads.

        :raises errors.ConfigurationError: it could not
        """
        if self._loaded is None:
            raise errors.ConfigurationError("Not looked at: the configuration cannot be read.")
        return self._loaded

    @property
    def _ironic(self) -> Connection:
        if self._connection is None:
            self._connection = Ironic(self._conf).on_behalf(RequestContext(overwrite=False))
        return self._connection

    @property
    def _uses_keystone(self) -> bool:
        return bool(self._conf.api.auth_strategy == "keystone")

    @property
    def _writes(self) -> bool:
        return not self._conf.api.read_only

    @property
    def _forwards_tokens(self) -> bool:
        return bool(self._conf.ironic.forward_user_token)


_READ_ONLY = Result(Code.SUCCESS, "Not needed: [api] read_only.")
_WITH_OWN_RIGHTS = Result(
    Code.SUCCESS, "Not asked: with [ironic] forward_user_token callers come with their own rights."
)


def _reason(error: Exception) -> str:
    text = (error.detail or error.message) if isinstance(error, errors.ShimError) else str(error)
    return without_userinfo(text)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split("."))


def _result_of_rules(rules: dict[str, RuleDefault]) -> Result:
    # oslo.policy takes what it cannot read for a rule that nobody fulfils.
    garbled = [n for n, rule in rules.items() if str(rule.check) == "!" != rule.check_str.strip()]
    if garbled:
        return Result(Code.FAILURE, f"Rules that cannot be read: {_names(garbled)}.")
    unknown = rules.keys() - {rule.name for rule in policy.list_rules()}
    if unknown:
        text = (
            "Rules that are none of this service's, and mean nothing unless others refer to them"
        )
        return Result(Code.WARNING, f"{text}: {_names(sorted(unknown))}.")
    return _SUCCESS


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MOST_NAMES])
    more = len(names) - _MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown


def _skew(ask: Callable[[], str | None]) -> float | None:
    """Return by how many seconds a clock is ahead; None if it tells no time.

    :param ask: returns a header ``Date``
    """
    try:
        then = parsedate_to_datetime(ask() or "")
    except (ValueError, errors.ShimError):
        # Other checks say why a service does not answer.
        return None
    return then.replace(tzinfo=then.tzinfo or UTC).timestamp() - time.time()
