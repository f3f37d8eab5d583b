"""Others' prints: kinds that count, blocks cut to the usual, bins of one day."""

from random import Random

from schemas.messages.core import PrintKind
from schemas.messages.market import TradePrinted
from streams.shard.prints import Prints
from tests.support.prints import printed


def counted(*messages: TradePrinted) -> Prints:
    prints = Prints()
    for message in messages:
        prints.add(message, 0, None)
    return prints


def test_own_quantity_is_no_volume_and_an_own_print_is_none_of_the_market() -> None:
    prints = counted(printed(500, own_quantity=200), printed(300, own_quantity=300))
    assert (prints.others_quantity, prints.count) == (300, 1)


def test_auctions_off_book_prints_and_corrections_are_not_counted() -> None:
    kinds = (PrintKind.AUCTION, PrintKind.OFF_BOOK, PrintKind.CORRECTED)
    messages = [printed(100), *(printed(1_000, kind=kind) for kind in kinds)]
    prints = counted(*messages, printed(50, kind=PrintKind.REGULAR))
    assert (prints.others_quantity, prints.count) == (150, 2)


def test_a_block_counts_as_volume_and_not_as_a_rate() -> None:
    """SPEC section 5: block prints are cut to the 99.5 % quantile of print sizes."""
    random = Random(5)
    usual = [printed(random.randint(1, 900)) for _ in range(2_000)]
    prints = counted(*usual)
    before = (prints.others_quantity, prints.steady_quantity)
    prints.add(printed(400_000), 0, None)
    sizes = sorted(message.quantity for message in usual)
    quantile = sizes[len(sizes) * 995 // 1_000 - 1]
    cut = prints.steady_quantity - before[1]
    assert prints.others_quantity - before[0] == 400_000
    assert quantile <= cut <= quantile * 9 // 8 + 1


def test_while_little_was_seen_nothing_is_a_block() -> None:
    prints = counted(*[printed(100)] * 150, printed(50_000))
    assert prints.steady_quantity == prints.others_quantity == 65_000


def test_the_bound_follows_the_sizes_of_the_day() -> None:
    prints = counted(*[printed(100)] * 5_000)
    small = prints.bound
    for _ in range(20_000):
        prints.add(printed(1_000), 0, None)
    assert 100 <= small < 120
    assert 1_000 <= prints.bound < 1_130
    assert prints.sizes_total <= 1 << 13
