import StarlingCore

/// The parameters of the broadcast tree. A million peers carry one each, so it is kept small.
@frozen
public struct BroadcastTreeConfiguration: Sendable {
  /// How many duplicates in a row, with no first copy in between, prune a link: 1 ... 255. One gives a tree
  /// at once; more keep links that some of many senders need, at the price of more duplicates.
  public var pruneThreshold: UInt8
  /// How many messages are kept for peers that missed them, 0 ... 65,535. A guess: ten minutes of a partition at
  /// a few messages a second.
  public var historyMessages: UInt16
  /// How many bytes of payload are kept for them. A guess.
  public var historyBytes: UInt32
  /// How many missing messages that were announced are waited for at once. A guess.
  public var missingLimit: UInt16
  /// Whether a peer that hears of an origin for the first time wants what the origin sent before, as far as its
  /// neighbours still have it. Without, it begins with what is on its way: right for users to whom an old
  /// message means nothing.
  public var catchUp: Bool

  /// Whether another broadcast brings messages, and what it leaves out is fetched here: then no link is ever eager.
  public var isLazy: Bool
  /// How long after a distant peer told of a message it may still come by itself, where another broadcast brings it. A guess:
  /// twice what a broadcast takes around the world.
  @inlinable
  public static var spread: Interval { .milliseconds(1_500) }
  /// The defaults.
  ///
  /// - Parameter pruneThreshold: duplicates in a row that prune a link, 1 ... 255.
  @inlinable
  public init(pruneThreshold: Int = 1) {
    precondition(
      (1...255).contains(pruneThreshold), "the prune threshold is \(pruneThreshold); it must be 1 ... 255")
    self.pruneThreshold = UInt8(pruneThreshold)
    historyMessages = 4_096
    historyBytes = 32 << 20
    missingLimit = 2_048
    catchUp = true
    isLazy = false
  }

  /// How many messages are being fetched at once, also of peers that do not answer: a quarter of ``missingLimit``, and
  /// beyond it, so that no announcements keep a peer from recovering what it missed. A guess.
  @inlinable
  public var fetchLimit: UInt16 { missingLimit / 4 }

  /// How many times a missing message is asked for before it is given up. A guess.
  @inlinable
  public static var graftAttempts: UInt8 { 20 }
  /// How many announcers of a missing message are remembered: more than there are neighbours, or liars could take all
  /// places. A guess.
  @inlinable
  public static var announcersPerMessage: Int { 64 }

  /// How many times a message known from a digest is asked for before the next digest must tell of it anew. A
  /// guess.
  @inlinable
  public static var fetchAttempts: UInt8 { 5 }
  /// How long after a message was first heard of it is told as missed at the earliest, when everybody who told of it
  /// has it no longer: an honest peer may be late. A guess.
  @inlinable
  public static var patience: Interval { .seconds(30) }
  /// How many messages known from digests are asked for at once, of all neighbours, while they answer in time, and of
  /// one. A guess: with round trips of 100 ms, 320 messages a second.
  @inlinable
  public static var fetchesAtOnce: (total: Int, perNeighbour: Int) { (32, 8) }
  /// How many ranges told of in digests are remembered, of all neighbours and of one. A guess.
  @inlinable
  public static var offers: (total: Int, perNeighbour: Int) { (256, 64) }
  /// How many messages that are missing between others are asked for with a pulse, how many of one origin, and of how many
  /// neighbours each. A guess.
  @inlinable
  public static var holes: (atOnce: Int, perOrigin: Int, neighbours: Int) { (8, 4, 8) }
  /// How long recovered messages are gathered before the neighbours are told of them. A guess.
  @inlinable
  public static var gathering: Interval { .milliseconds(250) }
  /// How many digests answer a summary. A guess: 256 origins without losses.
  @inlinable
  public static var digestsAtOnce: Int { 256 }
  /// How many digests tell the neighbours of recovered messages at once; the rest wait for ``gathering`` again. A
  /// guess.
  @inlinable
  public static var newsAtOnce: Int { 64 }
  /// How many recovered messages wait to be told of. A guess: as many as are kept.
  @inlinable
  public static var recoveredLimit: Int { 4_096 }

  /// The time between two pulses while messages flow; it doubles with each that finds nothing new, up to
  /// ``pulseDoublings`` times. A guess.
  @inlinable
  public static var pulse: Interval { .seconds(4) }
  /// How often the time between pulses doubles: up to 128 s. A guess.
  @inlinable
  public static var pulseDoublings: UInt8 { 5 }
  /// After how many pulses without a word from a neighbour that is pushed to its link becomes lazy: 16 s. A
  /// neighbour speaks every pulse; two clocks of which one is a fifth fast and messages several seconds late
  /// leave room for this many.
  @inlinable
  public static var silentPulses: Int { 4 }

  /// How many times within a pulse one peer may send the same message that was seen long before. A guess: a
  /// correct one sends it once for each time it is asked, and the network may double that.
  @inlinable
  public static var replayLimit: Int { 64 }
  /// How many digests one peer may send within a pulse, a question counted as ``questionWeight`` of them. A
  /// guess. A correct peer at its most sends some 2,200: ``newsAtOnce`` seventeen times, ``digestsAtOnce`` for
  /// each of the two to four questions that meet in a pulse, and a few questions. A receiver that was stopped for
  /// half a minute finds eight times that.
  @inlinable
  public static var digestLimit: Int { 32_768 }
  /// What a summary, or a digest that wants an answer, counts: 1,024 of them spend the limit. A guess: a correct
  /// peer sends two or three within a pulse.
  @inlinable
  public static var questionWeight: Int { 32 }
  /// How many announcements of one peer may be refused within a pulse because its share is full, beyond four for
  /// each message that was delivered. A guess: more than a receiver finds that was stopped for half a minute, in a
  /// network of 200 messages a second.
  @inlinable
  public static var refusalLimit: Int { 8_192 }

  /// How many messages that it told of one neighbour may turn out not to have within a pulse before what else it offers
  /// is left alone until the next. A guess: a correct one loses a few to newer ones in that time.
  @inlinable
  public static var denialLimit: Int { 64 }

  /// How long whoever said that a message is gone is not asked for it again, at first: as long as ``patience``. It
  /// doubles each time, up to ``denialDoublings`` times.
  @inlinable
  public static var denial: Interval { patience }
  /// How often the time doubles: up to 16 min. A guess.
  @inlinable
  public static var denialDoublings: UInt8 { 5 }
  /// How many denials are remembered, and how many of one peer: as many as ``denialLimit``. A guess: 32 bytes each.
  @inlinable
  public static var denied: (total: Int, perPeer: Int) { (1_024, denialLimit) }
  /// How many messages wait for the layer above to be told that they are gone. A guess.
  @inlinable
  public static var givenUpLimit: Int { 256 }
  /// How many ranges of messages are remembered that the layer above was told to have been missed; of more it is not
  /// told. A guess.
  @inlinable
  public static var missedLimit: Int { 1_024 }
}
