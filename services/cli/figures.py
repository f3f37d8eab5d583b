"""Figures for people out of exact integers; no float touches money."""

__all__ = ["decimal", "money", "points", "price", "quantity"]

NOTHING = "-"


def decimal(value: int, unit: int, places: int) -> str:
    """Format value / unit exactly. Rounds: half up."""
    scaled = (2 * abs(value) * 10**places + unit) // (2 * unit)
    whole, rest = divmod(scaled, 10**places)
    sign = "-" if value < 0 and scaled else ""
    return f"{sign}{whole:,}.{rest:0{places}}" if places else f"{sign}{whole:,}"


def quantity(value: int, scale: int) -> str:
    return decimal(value, scale, len(str(scale)) - 1)


def price(price_e9: int | None) -> str:
    return NOTHING if price_e9 is None else decimal(price_e9, 10**9, 4)


def money(cash_e9: int) -> str:
    return decimal(cash_e9, 10**9, 2)


def points(performance_e9: int | None) -> str:
    """Format basis points, with a sign."""
    if performance_e9 is None:
        return NOTHING
    text = decimal(performance_e9, 10**9, 1)
    return text if text.startswith("-") or text == "0.0" else f"+{text}"
