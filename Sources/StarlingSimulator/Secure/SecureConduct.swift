/// How Byzantine processes attack a secure broadcast. They act under one mind, know each other's state, and decide when
/// batches arrive; they do not see whom correct processes have sampled, except where those asked them (Assumption 5).
public enum SecureConduct: String, Hashable, Sendable, CaseIterable {
  /// They say nothing. Correct processes broadcast.
  case mute
  /// A Byzantine sender makes two batches. One goes to correct processes drawn at random, one after another, until one
  /// of them commits to it; then the other goes to the rest (thesis, section 4.4.3). Everybody Byzantine echoes to each
  /// process what it was given, and is ready for both, or where one voice counts once for what each was given.
  case equivocate
  /// The same, but it begins with those correct processes that have asked the most Byzantine ones for their echoes.
  case equivocatePoisoned = "equivocate-poisoned"
  /// A Byzantine sender gives one batch to just so many that about half of them can commit to it, and another to the
  /// rest; Byzantine processes are ready for the first, but tell only every second one that asked.
  case partial
  /// Everything that costs others memory or work: instances without end, far ahead, over and inside the window; votes for
  /// batches made up for the purpose; the same subscriptions again and again; what is too large, badly formed or forged;
  /// requests and answers that nobody asked for. Correct processes broadcast meanwhile.
  case spam
}
