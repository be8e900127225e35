import Glibc
import StarlingCore
import Testing

@testable import StarlingRuntime

@Suite struct EventLoopTests {
  @Test("a deadline is kept: not earlier, and not much later")
  func deadlines() throws {
    let loop = try EventLoop()
    for milliseconds in [0, 1, 20] {
      let deadline = loop.now + .milliseconds(milliseconds)
      while loop.now < deadline { #expect(try loop.wait(until: deadline).isEmpty) }
      #expect(loop.now - deadline < .milliseconds(500))
    }
  }

  @Test("a deadline that moves earlier or later is followed")
  func movedDeadlines() throws {
    let loop = try EventLoop()
    let mailbox = try Mailbox<Int>()
    try loop.watch(mailbox.descriptor)
    // Armed for a minute, woken before that, and then asked for a moment.
    #expect(mailbox.post { _ in })
    #expect(try loop.wait(until: loop.now + .seconds(60)).count == 1)
    _ = mailbox.take()
    let soon = loop.now + .milliseconds(5)
    while loop.now < soon { _ = try loop.wait(until: soon) }
    #expect(loop.now - soon < .seconds(1))
    // Armed for a moment, woken before that, and then asked for later.
    #expect(mailbox.post { _ in })
    #expect(try loop.wait(until: loop.now + .milliseconds(20)).count == 1)
    _ = mailbox.take()
    let later = loop.now + .milliseconds(40)
    while loop.now < later { _ = try loop.wait(until: later) }
    #expect(loop.now - later < .seconds(1))
  }

  private final class Box { var numbers: [Int] = [] }

  @Test("work posted by another thread wakes the loop and is done in order, on the owner's thread")
  func mailboxes() async throws {
    let mailbox = try Mailbox<Box>()
    let poster = Task.detached {
      for i in 0..<500 {
        while !mailbox.post({ $0.numbers.append(i) }) { await Task.yield() }
      }
    }
    let numbers = try await Task.detached {
      let loop = try EventLoop()
      try loop.watch(mailbox.descriptor)
      let box = Box()
      let limit = loop.now + .seconds(10)
      while box.numbers.count < 500, loop.now < limit {
        for event in try loop.wait(until: limit) where event.descriptor == mailbox.descriptor {
          for work in mailbox.take() { work(box) }
        }
      }
      return box.numbers
    }.value
    await poster.value
    #expect(numbers == Array(0..<500))
  }

  @Test("a mailbox refuses work when it is full or closed, and hands back what waited")
  func mailboxBounds() throws {
    let mailbox = try Mailbox<Int>(limit: 2)
    #expect(mailbox.post { _ in })
    #expect(mailbox.post { _ in })
    #expect(!mailbox.post { _ in })
    #expect(mailbox.take().count == 2)
    #expect(mailbox.post { _ in })
    #expect(mailbox.close().count == 1)
    #expect(!mailbox.post { _ in })
  }
}
