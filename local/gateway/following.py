"""What follows from changes of the table, in this process: the stream's functions, and the account they work on."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from gatehouse import wiring
from gatehouse.clock import Clock
from gatehouse.settings import Settings
from gatehouse.wall.model import own_key
from gatehouse.wall.service import Wall
from local.gateway.control_plane import ControlPlane
from local.gateway.pump import Pump
from local.gateway.queues import LocalQueue
from local.gateway.runtime import Runtime, load_event_handlers
from local.gateway.streams import open_stream
from local.gateway.template import Template
from local.gateway.wall import control_plane

_PATIENCE = 900.0  # the longest that Lambda lets a function run


def account(settings: Settings, template: Template, clock: Clock, mails: LocalQueue) -> ControlPlane:
    """The keys of an account that the template is deployed to, with those that the table says are there.

    It is what the stream's functions are given to work on; the table must be connected.
    """
    plane = control_plane(template, clock, creations_per_second=None)
    following = wiring.build_following(settings, clock, plane, mails)
    if settings.dynamodb_endpoint is not None:
        _put_back_keys(plane, following.wall, settings)
    wiring.install_following(following)
    return plane


@contextmanager
def pumping(settings: Settings, template: Template, clock: Clock, mails: LocalQueue) -> Iterator[None]:
    """The functions are called with the table's changes, and with the mails that are queued, while the block runs; with
    none where there is no stream.
    """
    handlers = load_event_handlers(template)
    with ExitStack() as to_end:
        for queue in template.queue_mappings:
            runtime = Runtime(template.functions, handlers, workers=1)
            to_end.callback(runtime.close)
            mails.start(partial(_invoke, runtime, queue.function), queue.receives)
            to_end.callback(mails.stop)
        for mapping in template.stream_mappings:
            if (stream := open_stream(settings)) is None:
                break
            runtime = Runtime(template.functions, handlers, workers=1)
            to_end.callback(runtime.close)
            pump = Pump(stream, mapping, partial(_invoke, runtime, mapping.function), clock)
            pump.start()
            to_end.callback(pump.stop)
        yield


def _put_back_keys(plane: ControlPlane, wall: Wall, settings: Settings) -> None:
    """Makes the keys again that an earlier process has lost, and whose users the table still lets use them."""
    for holder in wall.store.holders():
        if holder.own_key is not None:
            value = own_key(settings.gateway_key_seed, holder.consumer_id)
            plans = [settings.gateway_tiers[holder.own_key.tier]]
            plane.add_of_stack(wall.prefix + holder.consumer_id, value, plans)


def _invoke(runtime: Runtime, function: str, event: dict[str, object]) -> object:
    return runtime.invoke(function, event, _PATIENCE)
