import Glibc
import StarlingCore
import StarlingNode
import StarlingRuntime

/// The keys and addresses of a local network's nodes, made before the nodes: the members of a secure broadcast know each
/// other from the beginning.
struct LocalMembership {
  /// The file of members.
  let path: String
  private let folder: String
  let members: [PeerRecord]

  /// Makes keys, finds free ports, and writes both down.
  init(of nodes: Int, in folder: String) throws(CommandError) {
    self.folder = folder
    path = "\(folder)/members"
    let ports = try LocalMembership.freePorts(nodes)
    var members: [PeerRecord] = []
    for index in 0..<nodes {
      let path = LocalMembership.identity(of: index, in: folder)
      let identity = try explaining { try IdentityFile.create(at: path) }
      let address = SocketAddress(host: [127, 0, 0, 1], port: ports[index])
      members.append(PeerRecord(key: identity.publicKey, address: address))
    }
    self.members = members
    try Output(path: path).write(Array(MemberList(members).text.utf8))
  }

  /// Where a node listens.
  func address(of index: Int) -> String { members[index].address?.description ?? "127.0.0.1:0" }

  /// The file with a node's key.
  func identity(of index: Int) -> String { LocalMembership.identity(of: index, in: folder) }

  private static func identity(of index: Int, in folder: String) -> String {
    "\(folder)/identity-\(index).key"
  }

  /// Ports that nobody uses now. All are held until the last is found, so that they differ.
  private static func freePorts(_ count: Int) throws(CommandError) -> [UInt16] {
    var sockets: [Int32] = []
    defer { for socket in sockets { close(socket) } }
    var ports: [UInt16] = []
    for _ in 0..<count {
      let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
      guard descriptor >= 0 else { throw noPort(errno) }
      sockets.append(descriptor)
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      let result = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
          bind(descriptor, pointer, length) == 0 ? getsockname(descriptor, pointer, &length) : -1
        }
      }
      guard result == 0 else { throw noPort(errno) }
      ports.append(UInt16(bigEndian: address.sin_port))
    }
    return ports
  }

  private static func noPort(_ code: Int32) -> CommandError {
    .failed("No free port was found: \(String(cString: strerror(code))); start fewer nodes.")
  }
}
