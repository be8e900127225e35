/// What Byzantine owners and processes do to a ledger.
public enum LedgerConduct: String, CaseIterable, Sendable {
  /// Byzantine processes say nothing.
  case mute
  /// Owners sign two transfers of one number and give each to a different process; Byzantine processes lead two lives, one
  /// before each half of the others, and bring a different one in each.
  case doubleSpend = "double-spend"
  /// Owners spend what they do not have, and say that they have it.
  case overdraft
  /// Byzantine processes bring again what was brought before, by themselves and by others.
  case replay
}
