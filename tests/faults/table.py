# SPDX-License-Identifier: Apache-2.0
"""What is promised for each fault. The tests here hold the shim to it, and the page, too."""

from dataclasses import dataclass
from enum import Enum

from functional.support import Rule

from . import strikes

#: Seconds; of the shims under test: [ironic] timeout and retry_timeout, [keystone_authtoken]
#: http_connect_timeout.
TIMEOUT = 3
RETRY_TIMEOUT = 4
#: What all else may take, on a busy machine.
SLACK = 6.0
#: How long a fault lasts that is to outlast them all.
LONG = 2 * TIMEOUT + RETRY_TIMEOUT + SLACK


class Within(Enum):
    """How long a call of Ironic or Keystone may last, in words and in seconds."""

    AT_ONCE = "at once", 0
    ONCE = "``timeout``", TIMEOUT
    TWICE = "twice ``timeout``", 2 * TIMEOUT
    RETRIES = "``retry_timeout`` + ``timeout``", RETRY_TIMEOUT + TIMEOUT
    KEYSTONE = "``http_connect_timeout``", TIMEOUT
    KEYSTONE_TWICE = "twice ``http_connect_timeout``", 2 * TIMEOUT

    MEMCACHED = "twice ``memcache_pool_socket_timeout``", 2
    OF_ANOTHER = "the time of another replica", 0

    def __init__(self, words: str, seconds: float) -> None:
        self.words = words
        self.seconds = seconds


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of the page."""

    fault: str
    #: Of the answer.
    status: int
    #: Whether it has ``Retry-After``.
    again: bool = False
    #: What else is to be said of it.
    note: str = ""
    within: Within = Within.AT_ONCE
    #: Stands in the log; empty: nothing does.
    log: str = ""
    #: Each of them leads to this answer, at whichever of our requests it strikes.
    strikes: tuple[Rule, ...] = ()
    #: Whether reads are repeated, and so outlast it if it is over.
    repeated: bool = False
    #: The test of it, as FILE::FUNCTION below ``tests``; empty: the one that strikes.
    proof: str = ""

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """Return the words of the page."""
        answer = f"{self.status}, ``Retry-After``" if self.again else str(self.status)
        log = f"``{self.log}``" if self.log else "\u2014"
        return self.fault, f"{answer}. {self.note}".rstrip(". "), self.within.words, log


_FAILURES = "functional/test_failures.py"
_LISTS = "functional/test_lists.py"
_RIGHTS = "functional/test_rights.py"

#: Whose answer to a redirect would be asked for; nobody listens there.
ELSEWHERE = "http://localhost:9"

IRONIC = (
    Line(
        fault="Nobody listens where Ironic should be",
        status=503,
        again=True,
        note="Reads are repeated first",
        within=Within.RETRIES,
        log="cannot be reached",
        proof=f"{_FAILURES}::test_ironic_away_is_503_in_time_and_over_by_itself",
    ),
    Line(
        fault="The connection is reset or closed: before the answer, or in the middle of it",
        status=503,
        again=True,
        note="Reads are repeated first, writes never",
        within=Within.RETRIES,
        log="cannot be reached",
        strikes=(strikes.reset, strikes.close, strikes.reset_amid, strikes.close_amid),
        repeated=True,
    ),
    Line(
        fault="The answer does not begin",
        status=503,
        again=True,
        within=Within.ONCE,
        log="did not answer in time",
        strikes=(strikes.late(LONG),),
    ),
    Line(
        fault="The answer comes, but so slowly that it does not end",
        status=503,
        again=True,
        within=Within.TWICE,
        log="did not answer in time",
        strikes=(strikes.drip(LONG),),
    ),
    Line(
        fault="Half of the JSON, or a page of HTML with status 200",
        status=502,
        log="Ironic answered something that is not its API",
        strikes=(strikes.truncated, strikes.page(200)),
    ),
    Line(
        fault="A page of HTML with status 400, 404 or 409",
        status=502,
        note="It does not count as Ironic's word that something is not there",
        log="Something that is not Ironic answered",
        strikes=(strikes.page(400), strikes.page(404), strikes.page(409)),
    ),
    Line(
        fault="An answer of more than 128 MiB",
        status=502,
        log="Ironic's answer cannot be used",
        strikes=(strikes.enormous(140),),
    ),
    Line(
        fault="A compressed answer",
        status=200,
        note="As any other",
        strikes=(strikes.zipped,),
    ),
    Line(
        fault="An answer that only says that it is compressed",
        status=502,
        log="Ironic's answer cannot be used",
        strikes=(strikes.falsely_zipped,),
    ),
    Line(
        fault="500 from Ironic",
        status=502,
        log="Ironic answered 500",
        strikes=(strikes.refusal(500), strikes.page(500)),
    ),
    Line(
        fault="502, 503, 504, 408 or 429, from Ironic or from a balancer before it",
        status=503,
        again=True,
        log="Ironic answered",
        strikes=(
            strikes.page(502),
            strikes.page(503),
            strikes.page(504),
            strikes.refusal(503),
            strikes.refusal(429),
            strikes.page(408),
        ),
    ),
    Line(
        fault="Ironic does not accept our account: 401",
        status=503,
        note="Trying again does not help",
        log="Ironic refused the account of [ironic]",
        strikes=(strikes.refusal(401),),
    ),
    Line(
        fault="Ironic shows our account a part of the fleet, or nothing",
        status=503,
        note="Trying again does not help",
        log="may not list all nodes",
        proof=f"{_RIGHTS}::test_account_that_sees_nothing_is_an_error_and_no_empty_list",
    ),
    Line(
        fault="Our account lacks a right that a write needs",
        status=503,
        note="Trying again does not help",
        log="Ironic refused the account of [ironic]",
        proof=f"{_RIGHTS}::test_reader_of_the_system_serves_reads_and_refuses_writes",
    ),
    Line(
        fault="An Ironic that is too old",
        status=503,
        note="Trying again does not help",
        log="[ironic] of the configuration does not work",
        strikes=(strikes.too_old,),
    ),
    Line(
        fault="A redirect to another host",
        status=503,
        note="Nothing is sent there. Trying again does not help",
        log="redirects to",
        strikes=(strikes.redirect(ELSEWHERE),),
    ),
    Line(
        fault="The node is locked, for longer than the retries",
        status=409,
        again=True,
        within=Within.RETRIES,
        strikes=(strikes.refusal(409, "Node X is locked by host Y, please retry"),),
    ),
    Line(
        fault="The node is locked for a while",
        status=202,
        note="As if it had not been",
        within=Within.RETRIES,
        proof=f"{_FAILURES}::test_lock_that_goes_away_is_waited_for",
    ),
    Line(
        fault="The node or interface is deleted between two of our requests",
        status=404,
        proof=f"{_FAILURES}::test_node_that_vanishes_between_two_calls_is_not_found",
    ),
    Line(
        fault="The same in the middle of create",
        status=409,
        proof="faults/test_ironic.py::test_node_that_vanishes_while_it_is_made_is_a_conflict",
    ),
    Line(
        fault="The row between two pages of a list vanishes",
        status=200,
        note="The list begins again",
        proof=f"{_LISTS}::test_list_begins_again_when_the_row_between_two_pages_vanishes",
    ),
    Line(
        fault="The same each time",
        status=503,
        again=True,
        within=Within.RETRIES,
        log="Ironic's list could not be read to its end",
        proof=f"{_LISTS}::test_list_that_never_comes_to_its_end_is_given_up",
    ),
    Line(
        fault="The links between the pages of a list lead back, or to something else",
        status=502,
        log="Ironic answered something that is not its API",
        proof="faults/test_ironic.py::test_links_that_lead_nowhere_are_no_list",
    ),
    Line(
        fault="The link to the next page names another host",
        status=200,
        note="It is asked of Ironic, and of nobody else",
        proof="faults/test_ironic.py::test_links_to_another_host_are_followed_on_ours",
    ),
)

_ASKED = "Keystone could not be asked about a token"
_NOT_CHECKED = "Unable to validate token"
_NO_SENSE = (
    strikes.truncated,
    strikes.page(200),
    strikes.bare,
    strikes.falsely_zipped,
    strikes.enormous(140),
)
_OVERLOADED = (
    strikes.page(429),
    strikes.page(500),
    strikes.page(502),
    strikes.page(503),
    strikes.page(504),
)

#: While a caller's token is checked, or our account of [keystone_authtoken] signs in for that.
CALLERS = (
    Line(
        fault="Nobody listens where Keystone should be",
        status=503,
        again=True,
        note="401 for who comes without a token",
        within=Within.KEYSTONE,
        log=_NOT_CHECKED,
        proof=f"{_FAILURES}::test_keystone_away_is_503_and_over_by_itself",
    ),
    Line(
        fault="The connection is reset or closed before the answer",
        status=503,
        again=True,
        within=Within.KEYSTONE,
        log=_NOT_CHECKED,
        strikes=(strikes.reset, strikes.close),
    ),
    Line(
        fault="The connection is reset or closed in the middle of the answer",
        status=503,
        again=True,
        within=Within.KEYSTONE,
        log=_ASKED,
        strikes=(strikes.reset_amid, strikes.close_amid),
    ),
    Line(
        fault="The answer does not begin",
        status=503,
        again=True,
        within=Within.KEYSTONE,
        log=_ASKED,
        strikes=(strikes.late(LONG),),
    ),
    Line(
        fault="The answer comes, but so slowly that it does not end",
        status=503,
        again=True,
        within=Within.KEYSTONE_TWICE,
        log=_ASKED,
        strikes=(strikes.drip(LONG),),
    ),
    Line(
        fault="Half of the JSON, a page of HTML with status 200, or anything without sense",
        status=503,
        again=True,
        log=_ASKED,
        strikes=_NO_SENSE,
    ),
    Line(
        fault="429 or 5xx",
        status=503,
        again=True,
        log=_NOT_CHECKED,
        strikes=_OVERLOADED,
    ),
    Line(
        fault="A redirect to another host",
        status=503,
        again=True,
        note="Nothing is sent there",
        log="redirects to",
        strikes=(strikes.redirect(ELSEWHERE),),
    ),
    Line(
        fault="Our account is refused: 401",
        status=503,
        again=True,
        log="Identity server rejected authorization",
        proof="faults/test_keystone.py::test_account_that_checks_tokens_is_refused",
    ),
    Line(
        fault="The clock of this machine is so far ahead that tokens look expired",
        status=401,
        log="status=401",
        proof="faults/test_keystone.py::test_clock_ahead_makes_tokens_look_expired",
    ),
    Line(
        fault="The clock of this machine is behind",
        status=200,
        note="What is expired, Keystone says",
        proof="faults/test_keystone.py::test_clock_behind_is_not_noticed",
    ),
)

_SIGN_IN = "Keystone failed when the account of [ironic] signed in"

#: While our account of [ironic] signs in.
ACCOUNT = (
    Line(
        fault="The connection is reset or closed: before the answer, or in the middle of it",
        status=503,
        again=True,
        note="Reads are repeated first",
        within=Within.RETRIES,
        log="cannot be reached",
        strikes=(strikes.reset, strikes.close, strikes.reset_amid, strikes.close_amid),
        repeated=True,
    ),
    Line(
        fault="The answer does not begin",
        status=503,
        again=True,
        within=Within.ONCE,
        log="did not answer in time",
        strikes=(strikes.late(LONG),),
    ),
    Line(
        fault="The answer comes, but so slowly that it does not end",
        status=503,
        again=True,
        within=Within.TWICE,
        log="did not answer in time",
        strikes=(strikes.drip(LONG),),
    ),
    Line(
        fault="Half of the JSON, a page of HTML with status 200, or anything without sense",
        status=503,
        again=True,
        log=_SIGN_IN,
        strikes=_NO_SENSE[:3],
    ),
    Line(
        fault="429 or 5xx",
        status=503,
        again=True,
        log=_SIGN_IN,
        strikes=_OVERLOADED,
    ),
    Line(
        fault="A redirect to another host",
        status=503,
        note="The password is not sent there. Trying again does not help",
        log="redirects to",
        strikes=(strikes.redirect(ELSEWHERE),),
    ),
    Line(
        fault="A wrong password",
        status=503,
        note="Trying again does not help",
        log="[ironic] of the configuration does not work",
        proof=f"{_RIGHTS}::test_wrong_password_is_a_matter_for_the_operator",
    ),
    Line(
        fault="Keystone answers 401 to the question for its versions",
        status=200,
        note="It is asked for a token without that",
        proof="faults/test_keystone.py::test_versions_that_cannot_be_read_do_not_matter",
    ),
    Line(
        fault="Our token expired, or was revoked, before we expected it",
        status=200,
        note="Another one is asked for",
        proof="faults/test_keystone.py::test_token_of_ours_that_is_no_good_is_renewed",
    ),
    Line(
        fault="The clock of this machine is ahead or behind",
        status=200,
        note="If it is far ahead, each request to Ironic costs one to Keystone",
        proof="faults/test_keystone.py::test_clock_does_not_keep_our_account_out",
    ),
)

#: While somebody signs in at the identity bridge.
BRIDGE = (
    Line(
        fault="The connection is reset or closed: before the answer, or in the middle of it",
        status=503,
        again=True,
        within=Within.ONCE,
        log="Keystone cannot be reached",
        strikes=(strikes.reset, strikes.close, strikes.reset_amid, strikes.close_amid),
    ),
    Line(
        fault="The answer does not begin",
        status=503,
        again=True,
        within=Within.ONCE,
        log="Keystone cannot be reached",
        strikes=(strikes.late(LONG),),
    ),
    Line(
        fault="The answer comes, but so slowly that it does not end",
        status=503,
        again=True,
        within=Within.TWICE,
        log="Keystone cannot be reached",
        strikes=(strikes.drip(LONG),),
    ),
    Line(
        fault="Half of the JSON, a page of HTML with status 200, or anything without sense",
        status=502,
        log="Keystone answered something that is not its API",
        strikes=_NO_SENSE,
    ),
    Line(
        fault="5xx",
        status=503,
        again=True,
        log="Keystone answered 50",
        strikes=_OVERLOADED[1:],
    ),
    Line(
        fault="A redirect to another host",
        status=502,
        note="The password is not sent there",
        log="Keystone answered something that is not its API",
        strikes=(strikes.redirect(ELSEWHERE),),
    ),
)

_REPLICAS = "faults/test_replicas.py"
_SOAK = "faults/test_soak.py"

#: What the shim stands among.
SURROUNDINGS = (
    Line(
        fault="Ironic is restarted",
        status=503,
        again=True,
        note="Only while it is away; what hangs on it goes on by itself",
        within=Within.RETRIES,
        log="cannot be reached",
        proof=f"{_SOAK}::test_restarts_under_load",
    ),
    Line(
        fault="Keystone is restarted",
        status=503,
        again=True,
        note="Only while it is away, and only for tokens not seen a short while ago",
        within=Within.KEYSTONE,
        log=_NOT_CHECKED,
        proof=f"{_SOAK}::test_restarts_under_load",
    ),
    Line(
        fault="memcached is away, or restarted",
        status=200,
        note="Each token is asked of Keystone meanwhile, and for a while after that: some times "
        "``memcache_pool_dead_retry``",
        proof=f"{_SOAK}::test_restarts_under_load",
    ),
    Line(
        fault="memcached hangs",
        status=200,
        note="It is left alone then, for ``memcache_pool_dead_retry``",
        within=Within.MEMCACHED,
        proof=f"{_SOAK}::test_memcached_that_hangs_is_left_alone",
    ),
    Line(
        fault="A replica dies, reads",
        status=200,
        note="The balancer asks another one",
        within=Within.OF_ANOTHER,
        log="is DOWN",
        proof=f"{_REPLICAS}::test_no_read_fails_while_replicas_are_killed_and_restarted",
    ),
    Line(
        fault="A replica dies in the middle of a write",
        status=502,
        note="It is not sent to another one. What the dead one had made, it cannot take back: "
        "the node says in ``extra`` by which request it was made",
        log="is DOWN",
        proof=f"{_REPLICAS}::test_write_that_a_dying_replica_cut_off_is_not_sent_to_another",
    ),
    Line(
        fault="A replica is drained and restarted",
        status=200,
        log="is DOWN",
        proof=f"{_REPLICAS}::test_no_read_fails_while_replicas_are_killed_and_restarted",
    ),
    Line(
        fault="All replicas are gone or drained",
        status=503,
        again=True,
        log="has no server available",
        proof=f"{_REPLICAS}::test_without_any_replica_the_answer_is_a_fault_of_nova",
    ),
)
