"""What the demo shows a person at the end: totals, proofs, what to type next."""

import os
from typing import Any

from rich.console import Console
from rich.table import Table

NEXT_STEPS = (
    ("tail orders.events", "every decision on orders, decoded"),
    ("explain {order_id}", "the story of one order"),
    ("tca --order {order_id}", "its cost"),
    ("replay --verify", "decide the whole day again and compare"),
    ("verify", "the independent checker"),
)
STOP = ("broker stop", "when you have seen enough")
PROGRAM = "PENSTOCK_PROGRAM"  # how the command is typed, where that is not `penstock`


def show_totals(console: Console, result: dict[str, Any]) -> None:
    """Print the day in one small table: numbers on the left, what they are on the right."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(justify="right", style="bold")
    table.add_column()
    rows = (
        (result["orders_accepted"], f"orders accepted, {result['orders_rejected']:,} refused"),
        (result["crossed_quantity"], f"crossed or netted inside, in {result['crosses']:,} crosses"),
        (result["parents"], f"parents worked, {result['parents_filled']:,} of them filled"),
        (
            result["children"],
            f"children at the venues, {result['children_rejected']:,} refused there",
        ),
        (
            result["fills"],
            f"fills; {result['busts']:,} busts, {result['corrections']:,} corrections, "
            f"{result['late_fills']:,} beyond a venue's own word",
        ),
        (result["filled_quantity"], "filled"),
        (result["allocated_quantity"], "allocated to source orders"),
        (result["unallocated_quantity"], "unallocated"),
        (result["overfilled_quantity"], "over-filled"),
        (
            result["error_account_quantity"],
            "in the error account (the venues' own over-fills)",
        ),
        (result["events"], f"events in {result['transactions']:,} transactions"),
    )
    for value, text in rows:
        table.add_row(f"{value:,}", text)
    console.print(table)


def show_proofs(console: Console, result: dict[str, Any]) -> None:
    """Print what was proved, and every finding where something was not."""
    replay = "equal" if result["replay_equal"] else "DIFFERS"
    findings = result["invariants_failed"]
    console.print(
        f"[bold]replay[/] {replay}: {result['replayed_events']:,} events decided again, "
        f"state {result['state_hash'][:16]}…"
    )
    verdict = "no finding" if not findings else f"{len(findings)} FINDINGS"
    console.print(f"[bold]checker[/] {verdict} in {result['checked_records']:,} records")
    for finding in findings[:20]:
        console.print(f"  [red]{finding}[/]")
    if cleared := result["clearing"]:
        console.print(
            f"[bold]clearing[/] {cleared['allocations']:,} allocation reports and "
            f"{cleared['captures']:,} trade captures accepted, {cleared['breaks']:,} breaks"
        )
    latency = result["latency_ms"]
    console.print(
        f"[bold]order to child[/] p50 {latency['p50']} ms, p99 {latency['p99']} ms "
        f"({latency['orders']:,} immediate orders) · [bold]elapsed[/] {result['elapsed_s']} s"
    )


def show_fix(console: Console, result: dict[str, Any]) -> None:
    """Print what went over the sessions, where there were some."""
    fix = result["fix"]
    if fix is None:
        return
    for name, rows in fix["messages"].items():
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in sorted(rows.items()))
        console.print(f"[bold]FIX {name}[/] sent {sum(rows.values()):,}: {kinds}")
    acts = ", ".join(f"{act} {count:,}" for act, count in sorted(fix["acts"].items()))
    refused = ", ".join(f"{code} {count:,}" for code, count in sorted(fix["refused"].items()))
    console.print(
        f"[bold]FIX sessions[/] misbehaved: {acts or 'never'}; {fix['resend_requests']:,} "
        f"ResendRequests, {fix['resent']:,} messages sent again; "
        f"{fix['duplicate_executions']:,} known executions were dropped; "
        f"refused by gateways: {refused or 'nothing'}"
    )
    replay = "equal" if fix["replay_equal"] else "DIFFERS"
    books = "equal" if not fix["differences"] else f"{fix['differences']:,} DIFFERENCES"
    console.print(
        f"[bold]FIX books[/] of clients and venues and the engine's: {books}; gateways' replay "
        f"{replay}, {fix['replayed_events']:,} events"
    )


def show_next(console: Console, order_id: str, *, is_kept: bool, is_ours: bool) -> None:
    """Print the commands that make sense now. `is_ours`: the broker is for us to stop."""
    if not is_kept:
        console.print(
            "\nNext: [bold]penstock demo --keep[/] leaves broker and log for a closer look"
        )
        return
    console.print("\nThe broker is still there. Next:")
    table = Table(box=None, show_header=False)
    steps = (*NEXT_STEPS, STOP) if is_ours else NEXT_STEPS
    program = os.environ.get(PROGRAM, "penstock")
    for command, what in steps:
        table.add_row(f"{program} {command.format(order_id=order_id)}", f"[dim]{what}[/]")
    console.print(table)
