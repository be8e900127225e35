import StarlingCore
import StarlingLedger
import StarlingTestSupport
import Synchronization
import Testing

@testable import StarlingRuntime

@Suite("What a client is told that waits until its transfer is final")
struct TransferWatchTests {
  private final class Told: Sendable {
    let results = Mutex<[LedgerSubmissionResult]?>(nil)
  }

  private let owner: Identity

  init() throws { owner = try Identity(seed: [UInt8](repeating: 5, count: 32)) }

  private func transfer(_ amount: UInt64) -> SignedTransfer {
    SignedTransfer(
      Transfer(
        account: owner.publicKey, sequence: 3, funds: 9,
        destinations: [.init(account: owner.publicKey, amount: amount)]), in: SHA256.hash([]), by: owner)
  }

  private func wait(for transfer: SignedTransfer, in watch: inout TransferWatch) -> Told {
    let told = Told()
    watch.add(
      LedgerReply(HTTPReply()) { results in
        told.results.withLock { $0 = results }
        return HTTPResponse(status: 200, error: "")
      }, for: [transfer], [LedgerSubmissionResult(number: transfer.transfer.number, outcome: .pending)],
      until: .zero + .seconds(9))
    return told
  }

  @Test(
    "Of two transfers that an owner signed under one number, the one that is not final is not told as such")
  func another() {
    var watch = TransferWatch()
    let (winner, loser) = (wait(for: transfer(1), in: &watch), wait(for: transfer(2), in: &watch))
    #expect(winner.results.withLock { $0 } == nil)
    watch.applied(transfer(1).transfer)
    #expect(winner.results.withLock { $0?.first?.outcome } == .final)
    #expect(loser.results.withLock { $0?.first?.outcome } == .refused(.numberUsed(next: 4)))
  }

  @Test(
    "Who has waited for long enough is told that it is under way, and who waits for what was given up, that")
  func ends() {
    var watch = TransferWatch()
    let late = wait(for: transfer(1), in: &watch)
    watch.expire(at: .zero + .seconds(9))
    #expect(late.results.withLock { $0?.first?.outcome } == .pending)
    let abandoned = wait(for: transfer(1), in: &watch)
    watch.abandoned(transfer(1).transfer.number)
    #expect(abandoned.results.withLock { $0?.first?.outcome } == .abandoned(TransferWatch.reason))
    #expect(watch.wasAbandoned(transfer(1).transfer.number))
  }
}
