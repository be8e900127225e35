import Testing

@testable import StarlingRuntime

@Suite("Uploads")
struct HTTPUploadsTests {
  private final class Client {}

  @Test("Uploads that drip hold no place against others, and fast ones are not displaced")
  func slowest() {
    let start = ContinuousClock.now
    var uploads = HTTPUploads()
    let clients = (0..<HTTPUploads.limit + 2).map { _ in Client() }
    func add(_ number: Int, after time: Duration) -> (isTaken: Bool, displaced: Int32?) {
      uploads.add(ObjectIdentifier(clients[number]), descriptor: Int32(number), at: start + time)
    }
    for number in 0..<HTTPUploads.limit { #expect(add(number, after: .zero) == (true, nil)) }
    let late = HTTPUploads.limit
    // All have just begun.
    #expect(add(late, after: .seconds(1)) == (false, nil))
    for number in 0..<late {
      uploads.received(number == 5 ? 10 : 1 << 20, of: ObjectIdentifier(clients[number]))
    }
    #expect(add(late, after: .seconds(3)) == (true, 5) && uploads.count == HTTPUploads.limit)
    // The rest are fast.
    #expect(add(late + 1, after: .seconds(4)) == (false, nil))
    uploads.remove(ObjectIdentifier(clients[0]))
    #expect(add(late + 1, after: .seconds(4)) == (true, nil))
  }
}
