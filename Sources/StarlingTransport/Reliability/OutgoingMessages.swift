import StarlingCore

/// The messages that a connection has taken and whose acknowledgement it awaits, and which part goes next.
struct OutgoingMessages {
  /// How far the numbers of unacknowledged messages may be apart. Receivers count on it: see
  /// ``IncomingMessages``.
  static let span: UInt64 = 4_096

  private struct Message {
    var bytes: [UInt8]
    var acknowledged: UInt64 = 0
    let fragmentCount: Int

    var isDone: Bool { acknowledged == .max >> UInt64(64 - fragmentCount) }
  }

  /// Bytes of messages not wholly acknowledged.
  private(set) var queuedBytes = 0
  private var queuedMessages = 0
  private let byteLimit: Int
  private let messageLimit: Int
  private var wasRefused = false

  /// Message `firstNumber` is the front.
  private var messages = Queue<Message>()
  private var firstNumber: UInt64 = 0
  /// The next part that was never sent.
  private var fresh = FragmentReference(message: 0, index: 0)
  /// Parts to be sent again, before any fresh one.
  private var again = Queue<FragmentReference>()
  /// Bytes of messages of several parts that were begun and are not wholly acknowledged: at least what the
  /// peer has to hold.
  private var openBytes = 0
  /// How many such bytes the peer holds.
  var peerReassemblyBytes = Fragment.maximumMessageBytes

  init(byteLimit: Int, messageLimit: Int) {
    self.byteLimit = byteLimit
    self.messageLimit = messageLimit
  }

  /// Takes a message.
  mutating func append(_ message: [UInt8]) throws(SendError) {
    guard queuedBytes + message.count <= byteLimit, queuedMessages < messageLimit else {
      wasRefused = true
      throw .queueFull
    }
    messages.append(Message(bytes: message, fragmentCount: Fragment.count(total: message.count)))
    queuedBytes += message.count
    queuedMessages += 1
  }

  /// True once when a message was refused and at most half of the queue is taken now.
  mutating func becameWritable() -> Bool {
    guard wasRefused, queuedBytes <= byteLimit / 2, queuedMessages <= messageLimit / 2 else { return false }
    wasRefused = false
    return true
  }

  /// Whether there is anything to send now.
  mutating func hasNext() -> Bool { next() != nil }

  /// Appends the frame of the next part, unless it is larger than `room`.
  ///
  /// - Returns: the part, and whether it was sent before; `nil` if nothing was appended.
  mutating func writeNext(
    room: Int, into writer: inout WireWriter
  ) -> (part: FragmentReference, isRepeated: Bool)? {
    guard let part = next() else { return nil }
    let message = messages[offset(part.message)]
    let size = Fragment.frameByteCount(
      message: part.message, total: message.bytes.count, index: part.index)
    guard size <= room else { return nil }
    Fragment.encode(message: part.message, index: part.index, of: message.bytes, into: &writer)
    guard again.isEmpty else {
      again.removeFirst()
      return (part, true)
    }
    if part.index == 0, message.fragmentCount > 1 { openBytes += message.bytes.count }
    let isLast = part.index + 1 == message.fragmentCount
    fresh =
      isLast
      ? FragmentReference(message: part.message + 1, index: 0)
      : FragmentReference(message: part.message, index: part.index + 1)
    return (part, false)
  }

  /// The peer has got a part.
  mutating func acknowledge(_ part: FragmentReference) {
    guard part.message >= firstNumber else { return }
    let i = offset(part.message)
    guard !messages[i].isDone else { return }
    messages[i].acknowledged |= 1 << UInt64(part.index)
    guard messages[i].isDone else { return }
    let count = messages[i].bytes.count
    queuedBytes -= count
    queuedMessages -= 1
    if messages[i].fragmentCount > 1 { openBytes -= count }
    messages[i].bytes = []
    while messages.first?.isDone ?? false {
      messages.removeFirst()
      firstNumber += 1
    }
  }

  /// A part is to be sent again.
  mutating func repeatSending(_ part: FragmentReference) {
    if !isAcknowledged(part) { again.append(part) }
  }

  private func offset(_ number: UInt64) -> Int { Int(number - firstNumber) }

  private func isAcknowledged(_ part: FragmentReference) -> Bool {
    guard part.message >= firstNumber else { return true }
    let message = messages[offset(part.message)]
    return message.isDone || message.acknowledged >> UInt64(part.index) & 1 == 1
  }

  private mutating func next() -> FragmentReference? {
    while let part = again.first {
      if !isAcknowledged(part) { return part }
      again.removeFirst()
    }
    guard fresh.message < firstNumber + min(UInt64(messages.count), OutgoingMessages.span) else { return nil }
    let message = messages[offset(fresh.message)]
    let opens = fresh.index == 0 && message.fragmentCount > 1
    guard !opens || openBytes + message.bytes.count <= peerReassemblyBytes else { return nil }
    return fresh
  }
}
