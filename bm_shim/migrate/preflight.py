# SPDX-License-Identifier: Apache-2.0
"""Whether Ironic is ready for the conversion, and nova out of its way. Changes nothing."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from keystoneauth1.exceptions import ClientException

from bm_shim import errors
from bm_shim.ironic import API_VERSION, Connection, Ironic
from bm_shim.migrate.errors import PreflightError, explain, without_userinfo
from bm_shim.migrate.model import NodeRow, Plan

#: The Ironic that first spoke ``API_VERSION``.
_FIRST_RELEASE = "Victoria"

#: Who may give ports to the nodes that their project owns, as those are that they create.
_OWNER_ROLES = frozenset({"admin", "service"})

#: The task states of a machine that nova-baremetal is at work on.
_PASSING = frozenset({"initializing", "building", "deploying", "deploy complete", "prepared"})

_PARTIAL_VIEW = (
    "The account may not list all nodes: Ironic would show it a part of them or none, so what is "
    "there already would be taken for missing."
)
_ADVICE = (
    "Sign in as an administrator of the system (OS_SYSTEM_SCOPE=all in the environment, "
    "system_scope: all in clouds.yaml, system_scope = all in [ironic]), or grant the account in "
    "Ironic's policy file baremetal:node:list_all, baremetal:port:list_all, "
    "baremetal:node:create, baremetal:node:update, baremetal:node:set_provision_state and "
    "baremetal:port:create."
)


def check(connection: Connection, plan: Plan) -> list[str]:
    """Make sure that a plan can be carried out, as far as can be told before.

    :returns: warnings
    :raises PreflightError: something is missing; says all of it. Or Ironic cannot be asked
    """
    try:
        _ensure_version(connection)
        enabled = _enabled_drivers(connection)
        missing = list(_missing(connection, plan, enabled))
        warnings = list(_warnings(connection, plan, enabled))
    except errors.ShimError as error:
        raise PreflightError(f"Ironic cannot be asked: {explain(error)}") from None
    if missing:
        raise PreflightError("\n".join(["Ironic is not ready for the conversion:", *missing]))
    return warnings


def ensure_whole_view(connection: Connection) -> None:
    """Make sure that the account sees all nodes.

    :raises PreflightError: it does not
    :raises errors.ShimError: Ironic cannot be asked
    """
    if not connection.may_list_all_nodes():
        raise PreflightError(f"{_PARTIAL_VIEW} {_ADVICE}")


def machines_at_work(rows: Iterable[NodeRow]) -> list[str]:
    """Return a warning if the database says that nova-baremetal is at work, or was cut short."""
    at_work = [row for row in rows if row.task_state in _PASSING]
    if not at_work:
        return []
    first = at_work[0]
    return [
        f"nova-baremetal seems to be at work on {len(at_work)} of its machines, the first with "
        f"id {first.id} (task_state {first.task_state!r}): make sure that it is stopped."
    ]


def nova_services(ironic: Ironic, hosts: Collection[str]) -> list[str]:
    """Return a warning for each nova-compute that is up on one of these hosts.

    :param hosts: the ``service_host`` of the machines
    :returns: if nova cannot be asked, or it is not nova that answers, one warning about that
    """
    try:
        nova = ironic.adapter("compute")
        answer = nova.get("/os-services", params={"binary": "nova-compute"})
        services = [(each["host"], each["state"]) for each in answer.json()["services"]]
    except (ClientException, KeyError, TypeError, ValueError) as error:
        reason = without_userinfo(f"{type(error).__name__}: {error}")
        return [
            "Nova could not be asked whether its nova-compute services are stopped; make sure "
            f"that those of nova-baremetal are. ({reason})"
        ]
    return [
        f"nova-compute on {host} is up: stop it first, or both will manage its machines."
        for host, state in services
        if state == "up" and host in hosts
    ]


def _ensure_version(connection: Connection) -> None:
    version = connection.max_version()
    if _parts(version) < _parts(API_VERSION):
        raise PreflightError(
            f"Ironic speaks API version {version} at most; {API_VERSION} is needed, so Ironic "
            f"{_FIRST_RELEASE} or later."
        )


def _enabled_drivers(connection: Connection) -> list[str] | None:
    """Return the drivers; None: the account may not ask.

    An account of a project may not, which Ironic 39 tells by a 500.
    """
    try:
        return connection.list_drivers()
    except (errors.NotSetUp, errors.BadGateway):
        return None


def _missing(connection: Connection, plan: Plan, enabled: Collection[str] | None) -> Iterator[str]:
    refused = list(_refused(connection))
    yield from refused
    if refused:
        yield _ADVICE
    if enabled is not None:
        yield from _missing_drivers(plan, enabled)


def _refused(connection: Connection) -> Iterator[str]:
    if not connection.may_list_all_nodes():
        yield _PARTIAL_VIEW
    if not connection.may_create_nodes():
        yield "The account may not create nodes."
    if not connection.may_create_ports() and _OWNER_ROLES.isdisjoint(connection.own_roles()):
        yield "The account may not create ports."


def _missing_drivers(plan: Plan, enabled: Collection[str]) -> Iterator[str]:
    nodes: dict[str, list[int]] = defaultdict(list)
    for node in plan.nodes:
        nodes[node.driver].append(node.legacy_id)
    for driver in sorted(nodes.keys() - set(enabled)):
        yield (
            f"No conductor has the driver {driver!r} (option enabled_hardware_types), but "
            f"{', '.join(sorted(enabled)) or 'none'}; planned with it: {len(nodes[driver])}, "
            f"among them the id {nodes[driver][0]}."
        )


def _warnings(
    connection: Connection, plan: Plan, enabled: Collection[str] | None
) -> Iterator[str]:
    if enabled is None:
        yield "The account may not ask which drivers are enabled, so that was not looked at."
    project = connection.own_project()
    if project is not None and any(node.owner is None for node in plan.nodes):
        yield (
            f"The account is one of the project {project}, which Ironic makes the owner of the "
            "nodes it creates. For nodes without an owner sign in to the system "
            "(OS_SYSTEM_SCOPE=all, or system_scope = all)."
        )


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
