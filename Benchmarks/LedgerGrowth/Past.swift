import Glibc
import StarlingCore
import StarlingLedger
import StarlingNode
import StarlingRuntime

/// How many accounts pay when it is measured. They have keys, and did not pay before.
let payers = 8_192

/// Names an account.
func seed(_ index: Int) -> [UInt8] {
  var writer = WireWriter(capacity: 48)
  writer.write(text: "starling growth account")
  writer.write(integer: UInt64(index))
  return SHA256.hash(writer.bytes).bytes
}

/// The accounts' keys. Those after the payers are nobody's: nothing that they sign is looked at.
func keys(_ count: Int) throws -> [PublicKey] {
  try (0..<count).map { index in
    if index < payers { return try Identity(seed: seed(index)).publicKey }
    guard let key = PublicKey(seed(index)) else { throw HostError("A key has 32 bytes.") }
    return key
  }
}

/// Makes the two members of a ledger, with some accounts and as many past transfers, which the first has brought.
func makePast(_ folder: String, transfers: Int, accounts: Int, port: UInt16) throws {
  guard accounts > 2 * payers else { throw HostError("There must be more than \(2 * payers) accounts.") }
  mkdir(folder, 0o700)
  let members = try (0..<2).map { try IdentityFile.create(at: "\(folder)/key-\($0)") }
  let keys = try keys(accounts)
  guard let bank = PublicKey([UInt8](repeating: 1, count: 32)) else { throw HostError("A key has 32 bytes.") }
  let genesis = try Genesis(
    network: "growth", members: members.map(\.publicKey), byzantine: 0, balances: [bank: 1 << 62])
  let list = MemberList(
    members.enumerated().map { index, member in
      PeerRecord(
        key: member.publicKey, address: SocketAddress(host: [127, 0, 0, 1], port: port + UInt16(index)))
    })
  try write(list.text, to: "\(folder)/members")
  try write(genesis.text, to: "\(folder)/genesis")
  let past = try LedgerPastWriter(in: "\(folder)/data-0", of: members[0], genesis)
  guard let nobody = Ed25519Signature([UInt8](repeating: 0, count: 64)) else {
    throw HostError("A signature has 64 bytes.")
  }
  // What one message takes.
  let batch = 350
  var waiting: [SignedTransfer] = []
  var batches: [[SignedTransfer]] = []
  func deliver(_ transfer: Transfer, isLast: Bool) throws {
    waiting.append(SignedTransfer(transfer: transfer, signature: nobody))
    if waiting.count == (transfer.destinations.count > 1 ? 60 : batch) || isLast {
      batches.append(waiting)
      waiting = []
    }
    if batches.count == 32 || isLast {
      try past.deliver(batches)
      batches = []
    }
  }
  var funded = 0
  while funded < accounts {
    let some = keys[funded..<min(funded + Transfer.destinationLimit, accounts)]
    let transfer = Transfer(
      account: bank, sequence: UInt64(funded / Transfer.destinationLimit), funds: UInt64(some.count) << 40,
      destinations: some.map { .init(account: $0, amount: 1 << 40) })
    funded += some.count
    try deliver(transfer, isLast: funded == accounts)
  }
  var next = [UInt64](repeating: 0, count: accounts)
  var random = Xoshiro256(seed: 1)
  for number in 0..<transfers {
    let payer = payers + random.uniform(below: accounts - payers)
    let transfer = Transfer(
      account: keys[payer], sequence: next[payer], funds: 1,
      destinations: [.init(account: keys[random.uniform(below: accounts)], amount: 1)])
    next[payer] += 1
    try deliver(transfer, isLast: number == transfers - 1)
  }
  try past.finish()
  let first = (accounts + Transfer.destinationLimit - 1) / Transfer.destinationLimit
  guard past.ledger.applied == UInt64(first + transfers), past.ledger.total == 1 << 62 else {
    throw HostError("Of the past \(past.ledger.applied) transfers were applied.")
  }
}

/// Makes the copy of the first member's directory the second's.
func handOver(_ folder: String) throws {
  try LedgerPastWriter.handOver(
    "\(folder)/data-1", to: try IdentityFile.read("\(folder)/key-1"),
    try SecureBroadcastSettings.readGenesis("\(folder)/genesis"))
}

func write(_ text: String, to path: String) throws {
  guard let file = fopen(path, "w") else { throw HostError("\(path) cannot be written.") }
  fputs(text, file)
  fclose(file)
}
