import StarlingCore

/// A sink that does nothing but write down what a process wants done: to look at one process by itself.
package struct RecordingEffects<Owner: Process>: Effects {
  package typealias Parcel = Owner.Message

  package var random: Xoshiro256
  package var sent: [(message: Owner.Message, to: Peer)] = []
  package var timers: [(timer: Owner.Timer, at: Instant)] = []
  package var indications: [Owner.Indication] = []
  /// How many parcels were made; a message that goes to many peers should be made ready once.
  package var prepared = 0

  package init(_ owner: Owner.Type = Owner.self, random: Xoshiro256) { self.random = random }

  package mutating func prepare(_ message: Owner.Message) -> Owner.Message {
    prepared += 1
    return message
  }

  package mutating func send(_ parcel: Owner.Message, to peer: Peer) { sent.append((parcel, peer)) }

  package mutating func schedule(_ timer: Owner.Timer, at instant: Instant) {
    timers.append((timer, instant))
  }

  package mutating func indicate(_ indication: Owner.Indication) { indications.append(indication) }

  package mutating func next() -> UInt64 { random.next() }

  /// Forgets everything written down so far.
  package mutating func clear() {
    sent.removeAll()
    timers.removeAll()
    indications.removeAll()
    prepared = 0
  }
}
