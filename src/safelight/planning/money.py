"""What the posts of a scenario cost in a year: arithmetic on parameters, each with its source or 'assumption'."""

from __future__ import annotations

from safelight.planning.parameters import Parameters

PAY = {
    "staff.desk": "pay.staff",
    "staff.allocation": "pay.sergeant",
    "staff.specialists": "pay.officer",
    "staff.generalists": "pay.officer",
    "staff.supervisors": "pay.sergeant",
    "staff.triage": "pay.officer",
    "staff.examiners": "pay.examiner",
    "staff.caid": "pay.officer",
    "staff.offender_managers": "pay.officer",
}


def post_cost(parameters: Parameters, lever: str) -> float:
    """Pounds in a year for one more of ``lever`` (a parameter that counts posts, or ``laboratory.machines``)."""
    if lever == "laboratory.machines":
        return parameters.number("pay.machine")
    return parameters.number(PAY[lever]) * parameters.number("pay.on_costs")


def yearly_cost(parameters: Parameters) -> float:
    """Pounds in a year for every post (filled or not, without those that `staff.leaving` ends) and imaging machine."""
    levers = (*PAY, "laboratory.machines")
    whole = sum(parameters.number(lever) * post_cost(parameters, lever) for lever in levers)
    return whole - parameters.number("staff.leaving") * post_cost(parameters, "staff.specialists")
