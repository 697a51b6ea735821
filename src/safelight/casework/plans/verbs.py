from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "whatif.viewed": "looked at the plan",
        "whatif.made": "made the plan",
        "whatif.scenario_added": "added a scenario to the plan",
        "whatif.run_again": "had run again the plan",
        "whatif.stop_asked": "stopped the plan",
        "whatif.ended": "worked out the plan",
        "whatif.exported": "took out of the system the figures of the plan",
    }
)
