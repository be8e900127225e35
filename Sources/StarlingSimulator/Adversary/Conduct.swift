import StarlingCore

/// How an adversary breaks the rules.
public enum Conduct: String, Hashable, Sendable, CaseIterable {
  /// Joins, then passes nothing on: no broadcast, no walk, no subscription.
  case mute
  /// Changes what it passes on, broadcasts in others' names, and gives away members that are none.
  case forge
  /// Sends old messages again, announces messages that do not exist, and subscribes over and over.
  case spam
  /// Passes on everything but the messages of one sender, which it announces and never hands out.
  case censor
  /// Announces what it should pass on, and says of everything it is asked for that it is gone.
  case goneLiar = "gone-liar"
  /// Broadcasts in the names of ever new keys of its own, one message each.
  case mintedOrigins = "minted-origins"
  /// Sends the walks that it saw of joiners again and again, to make others introduce them, or pass the walks on.
  case repeatWalk = "repeat-walk"
  /// Sends introductions that others signed again, long after, to peers that may not have seen them.
  case replayIntroduction = "replay-introduction"
}

/// What one adversary knows of the plot.
struct Plot: Sendable {
  /// How it breaks the rules …
  let conduct: Conduct
  /// … and from when on; until then it does as it should.
  let start: Instant
  /// Whom it censors, or in whose name it speaks.
  let victim: Peer
  /// How many peers there are: it knows everybody.
  let population: Int

  /// How many messages a forger, a spammer or a maker of keys sends a second …
  let rate: Int
  /// … until when.
  let end: Instant

  /// How often one of these acts.
  static var period: Interval { .seconds(1) }
  /// To how many peers it sends a message of a key of its own, as a member has that many neighbours; so it makes
  /// fewer such messages than it sends.
  static var mintedCopies: Int { 8 }
  /// How many received messages it keeps to send again.
  static var memory: Int { 64 }
}
