import StarlingCore

/// A datagram with the address it comes from or goes to.
struct Datagram {
  let bytes: [UInt8]
  let address: SocketAddress
}
