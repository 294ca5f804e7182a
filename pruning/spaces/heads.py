"""What goes of attention whose queries share keys: whole groups, or a query of each."""

from __future__ import annotations

from collections.abc import Sequence

from minima.store.command import BadInput
from minima.zoo.anatomy.removable import Removable
from minima.zoo.anatomy.unit_groups import QUERY, UnitGroup
from pruning.context.candidates import Heads


def chosen(network: Removable, heads: Heads) -> list[UnitGroup]:
    """The groups of a network with those of grouped queries that are asked for.

    Raises:
        BadInput: queries are asked for, and none are grouped, or their number stands in the network's code.
    """
    queries = [group for group in network.groups if group.kind == QUERY]
    if heads == "groups":
        return [group for group in network.groups if group not in queries]
    stuck = next((f"{group.name}: {why}" for group, why in network.stuck if group.kind == QUERY), "")
    if not queries and stuck:
        raise BadInput(f"--heads {heads}: {stuck}.\nMake it an attribute of the module, or leave --heads out")
    if not queries:
        raise BadInput(
            f"--heads {heads}: in this network no attention has queries that share a key, so that each head goes as a "
            "whole. Leave it out"
        )
    crossed = {group.crosses for group in queries} if heads == "queries" else set()
    return [group for group in network.groups if group.name not in crossed]


def alone(network: Removable, groups: Sequence[UnitGroup]) -> list[str]:
    """What a user should know of attentions with one key for all queries, of which none of the groups is."""
    own = {group.name for group in groups}
    one = [each.name for each in network.groups if each.kind == QUERY and not each.crosses and each.name not in own]
    if not one:
        return []
    shown = ", ".join(name.removesuffix(" queries") for name in one[:4])
    more = f" and {len(one) - 4} more" if len(one) > 4 else ""
    return [f"all queries share one key in {shown}{more}, and stay: --heads queries removes them one by one"]
