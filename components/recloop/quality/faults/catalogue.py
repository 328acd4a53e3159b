"""Every fault with the strengths at which it is planted."""

from recloop.quality.faults import clocks, copies, losses, money, names
from recloop.quality.faults.batch import Fault

ROWS, USERS, VISITS = "share of the day's rows", "share of the day's users", "share of the day's visits"
FEW, FACTORS = (0.01, 0.05, 0.2), (1.1, 1.3, 7.5)

FAULTS: dict[str, Fault] = {
    "duplicate_rows": Fault(copies.duplicate_rows, FEW, ROWS),
    "duplicate_impressions": Fault(copies.duplicate_impressions, FEW, ROWS),
    "replayed_day": Fault(copies.replayed_day, (0.05, 0.2, 1.0), ROWS),
    "bot": Fault(copies.bot, (100, 300, 1000), "events in two hours"),
    "burst_session": Fault(copies.burst_session, (100, 300, 1000), "events in ten minutes"),
    "default_user": Fault(copies.default_user, (0.02, 0.05, 0.2), ROWS),
    "default_item": Fault(copies.default_item, (0.02, 0.05, 0.2), ROWS),
    "concentration": Fault(copies.concentration, (0.05, 0.1, 0.3), ROWS),
    "future_events": Fault(clocks.future_events, FEW, ROWS),
    "clock_behind": Fault(clocks.clock_behind, FEW, ROWS),
    "unreadable_times": Fault(clocks.unreadable_times, FEW, ROWS),
    "zone_shift": Fault(clocks.zone_shift, (1, 3, 8), "hours"),
    "gap": Fault(clocks.gap, (1, 2, 4), "hours"),
    "cut_short": Fault(clocks.cut_short, (2, 4, 8), "hours"),
    "label_delay": Fault(clocks.label_delay, (0.02, 0.1, 0.4), "share of the rows of the day before"),
    "orphan_items": Fault(names.orphan_items, FEW, ROWS),
    "encoding": Fault(names.encoding, FEW, ROWS),
    "schema_drift": Fault(names.schema_drift, FEW, ROWS),
    "padded_ids": Fault(names.padded_ids, (0.03, 0.1, 0.3), ROWS),
    "new_users": Fault(names.new_users, (0.05, 0.1, 0.3), USERS),
    "user_id_reuse": Fault(names.user_id_reuse, (0.2, 0.5, 1.0), USERS),
    "item_id_reuse": Fault(names.item_id_reuse, (0.05, 0.2, 0.5), "share of the day's items"),
    "merged_users": Fault(names.merged_users, (0.2, 0.5, 1.0), USERS),
    "renamed_kind": Fault(names.renamed_kind, FEW, ROWS),
    "missing_consent": Fault(names.missing_consent, (0.02, 0.05, 0.2), USERS),
    "currency": Fault(money.currency, FACTORS, "factor of every price"),
    "currency_mix": Fault(money.currency_mix, (0.02, 0.05, 0.2), ROWS),
    "store_currency": Fault(money.store_currency, (1.3, 7.5, 150.0), "factor of one large shop's prices"),
    "price_mismatch": Fault(money.price_mismatch, (0.05, 0.2, 1.0), ROWS),
    "price_to_zero": Fault(money.price_to_zero, (0.02, 0.05, 0.2), ROWS),
    "price_lost": Fault(money.price_lost, (0.03, 0.1, 1.0), ROWS),
    "store_lost": Fault(money.store_lost, (0.03, 0.1, 1.0), ROWS),
    "number_format": Fault(money.number_format, FEW, ROWS),
    "quantity_unit": Fault(money.quantity_unit, (0.05, 0.2, 1.0), ROWS),
    "silent_store": Fault(losses.silent_store, (3, 5, 7), "days of one of the five largest shops"),
    "silent_department": Fault(
        losses.silent_department, (-6, -3, -1), "rank of the department, 0 the largest, negated"
    ),
    "lost_visits": Fault(losses.lost_visits, (0.3, 0.4, 0.6), VISITS),
    "lost_users": Fault(losses.lost_users, (0.3, 0.4, 0.6), USERS),
    "lost_rows": Fault(losses.lost_rows, (0.3, 0.5, 0.8), ROWS),
    "foreign_rows": Fault(losses.foreign_rows, (0.2, 0.5, 1.0), ROWS),
    "catalogue_cut": Fault(losses.catalogue_cut, (0.03, 0.1, 0.5), "share of the items"),
    "catalogue_encoding": Fault(losses.catalogue_encoding, (0.03, 0.1, 0.5), "share of the items"),
    "catalogue_out_of_step": Fault(losses.catalogue_out_of_step, (0.03, 0.1, 1.0), "share of the items"),
}
"""class -> fault"""
