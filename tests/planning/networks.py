"""Small networks that use everything the event loop can do."""

from __future__ import annotations

from safelight.planning.network import Brings, Clock, Duration, Kind, Network, Route, Station, Step


def everything(rule: str = "growing", days: float = 120.0, load: float = 1.0) -> Network:
    """Two kinds of case and their devices through teams, a laboratory, delays, loops, patience and escalation."""
    kinds = (
        Kind("urgent", 0.8 * load, "desk", (1.0, 1.6, 0.0, 1.2), 1.0, 0, 20.0),
        Kind("other", 1.7 * load, "desk", (1.0,), 7.0, 1, 2.0),
        Kind("device", deadline=14.0, rank=1, cost=3.0),
        Kind("review", rank=2),
    )
    team = {
        "urgent": Step(Duration.lognormal(1.1, 0.8), (Route("warrant", 0.7), Route("desk", 0.2))),
        "other": Step(
            Duration.erlang(1.6, 3),
            (Route("warrant", 0.6),),
            patience=Duration.exponential(9.0),
            escalates=(2.0, "urgent"),
        ),
    }
    devices = Brings("device", "laboratory", share=0.8, at_least=1, more=2.5, cap=4)
    reviews = Brings("review", "review", more=1.0, at_least=0, wait=False)
    device = Step(Duration.lognormal(1.0, 1.2), (Route("laboratory", 0.1),), patience=Duration.exponential(30.0))
    stations = (
        Station("desk", 2, {
            "urgent": Step(Duration.exponential(0.3), (Route("team"),), reviews),
            "other": Step(Duration.fixed(0.25), (Route("team", 0.9),), patience=Duration.fixed(1.5)),
        }),
        Station("team", 6, team, teams=3, changes=((40.0, 3), (55.0, 7))),
        Station("warrant", None, {
            "urgent": Step(Duration.hyperexponential(2.0, 1.8), (), devices),
            "other": Step(Duration.fixed(3.0), (Route("review"),), devices),
        }),
        Station("laboratory", 4, {"device": device}),
        Station("review", 1, {"review": Step(Duration.fixed(0.2)), "other": Step(Duration.exponential(0.4))}),
    )  # fmt: skip
    clocks = (
        Clock("desk", ("desk",), {"urgent": 0.5, "other": 1.0}),
        Clock("begun", ("team",), {"urgent": 1.0, "other": 7.0}, at="start"),
    )
    return Network(kinds, stations, clocks, rule, days, 20.0 if days > 30 else 0.0, 30.0, 5.0)
