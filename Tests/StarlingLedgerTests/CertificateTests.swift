import StarlingCore
import StarlingLedger
import Testing

@Suite("Certificates")
struct CertificateTests {
  private let members: [Identity]
  private let owner: Identity
  private let genesis: Genesis
  private let transfer: SignedTransfer

  init() throws {
    members = try (1...7).map { try Identity(seed: [UInt8](repeating: $0, count: 32)) }
    owner = try Identity(seed: [UInt8](repeating: 99, count: 32))
    genesis = try Genesis(
      network: "n", members: members.map(\.publicKey), byzantine: 2, balances: [owner.publicKey: 10])
    transfer = SignedTransfer(
      Transfer(
        account: owner.publicKey, sequence: 0, funds: 10, destinations: [.init(account: key(1), amount: 3)],
        memo: Array("rent".utf8)), in: genesis.hash, by: owner)
  }

  private func certificate(by signers: [Identity], of signed: SignedTransfer? = nil) -> Certificate {
    var signatures: [PublicKey: Ed25519Signature] = [:]
    for signer in signers {
      signatures[signer.publicKey] = Certificate.sign(signed ?? transfer, in: genesis.hash, by: signer)
    }
    return Certificate(ledger: genesis.hash, transfer: transfer, signatures: signatures)
  }

  private func refusal(_ certificate: Certificate, by genesis: Genesis? = nil) -> String? {
    do {
      try certificate.verify(by: genesis ?? self.genesis)
      return nil
    } catch { return error.description }
  }

  @Test("One member more than may lie proves a transfer, in a file too; fewer do not")
  func enough() throws {
    #expect(refusal(certificate(by: Array(members[..<3]))) == nil)
    #expect(refusal(certificate(by: members)) == nil)
    #expect(
      refusal(certificate(by: Array(members[..<2])))?.contains("2 members have signed, and 3 must") == true)
    let again = try Certificate(parsing: certificate(by: Array(members[4...])).text)
    #expect(again == certificate(by: Array(members[4...])))
    #expect(refusal(again) == nil)
  }

  @Test("Words of strangers, for other transfers or in another ledger do not count")
  func worthless() throws {
    let strangers = try (20...30).map { try Identity(seed: [UInt8](repeating: $0, count: 32)) }
    #expect(refusal(certificate(by: strangers + members[..<2]))?.contains("2 members have") == true)
    let other = SignedTransfer(
      Transfer(
        account: owner.publicKey, sequence: 0, funds: 10, destinations: [.init(account: key(1), amount: 4)]),
      in: genesis.hash, by: owner)
    #expect(refusal(certificate(by: members, of: other))?.contains("0 members have") == true)
    let elsewhere = try Genesis(
      network: "m", members: members.map(\.publicKey), byzantine: 2, balances: [owner.publicKey: 10])
    #expect(refusal(certificate(by: members), by: elsewhere)?.contains("another ledger") == true)
    let unsigned = SignedTransfer(transfer: transfer.transfer, signature: noSignature)
    let forged = Certificate(
      ledger: genesis.hash, transfer: unsigned,
      signatures: Dictionary(
        uniqueKeysWithValues: members.map {
          ($0.publicKey, Certificate.sign(unsigned, in: genesis.hash, by: $0))
        }))
    #expect(refusal(forged)?.contains("not signed by its account's owner") == true)
  }

  @Test("A file that is no certificate says so")
  func parsing() {
    let good = certificate(by: Array(members[..<1])).text
    let lines = good.split(separator: "\n").map(String.init)
    for (text, part) in [
      ("", "begins with the line"), ("ledger 00", "says nothing that is known"),
      ("starling-certificate 9", "use a newer program"),
      (lines[..<3].joined(separator: "\n"), "lacks"), (good + lines[4], "each member once"),
      (good + "final 12 34", "no signature"), (good + "ledger 00", "says it again"),
      (good.replacing("transfer ", with: "transfer 0"), "lacks"),
    ] {
      let error = #expect(throws: QuantityError.self) { try Certificate(parsing: text) }
      #expect(error?.description.contains(part) == true, "\(text): \(error?.description ?? "")")
    }
  }
}
