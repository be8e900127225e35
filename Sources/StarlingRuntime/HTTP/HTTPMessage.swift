import CMicrohttpd
import CStarlingShims
import Glibc

/// A connection of libmicrohttpd. Other threads use it for one call only, resuming it, which is allowed from
/// anywhere while it is suspended.
struct HTTPConnection: @unchecked Sendable {
  let pointer: OpaquePointer

  func suspend() { MHD_suspend_connection(pointer) }

  func resume() { MHD_resume_connection(pointer) }
}

/// The head of a request. Valid only while it is being routed.
struct HTTPRequest {
  let method: String
  /// The path without the query.
  let path: String
  let connection: HTTPConnection

  init(method: String, path: String, connection: HTTPConnection) {
    self.method = method
    self.path = path
    self.connection = connection
  }

  /// A header's value; `nil` if it is missing or not UTF-8.
  func header(_ name: String) -> String? { value(.HEADER_KIND, name) }

  /// How many headers of a name there are, whatever the case of their letters.
  func headerCount(_ name: String) -> Int {
    var search = HeaderSearch(name: name)
    withUnsafeMutablePointer(to: &search) { search in
      _ = MHD_get_connection_values(
        connection.pointer, .HEADER_KIND,
        { context, _, key, _ in
          guard let search = context?.assumingMemoryBound(to: HeaderSearch.self), let key else { return .YES }
          if strcasecmp(key, search.pointee.name) == 0 { search.pointee.count += 1 }
          return .YES
        }, search)
    }
    return search.count
  }

  /// A query argument's value, decoded; `nil` if it is missing or not UTF-8.
  func query(_ name: String) -> String? { value(.GET_ARGUMENT_KIND, name) }

  /// The names of the query's arguments, in their order and as often as they come; what is not UTF-8 holds a NUL.
  var queryNames: [String] {
    var search = QuerySearch()
    withUnsafeMutablePointer(to: &search) { search in
      _ = MHD_get_connection_values_n(
        connection.pointer, .GET_ARGUMENT_KIND,
        { context, _, key, count, _, _ in
          guard let search = context?.assumingMemoryBound(to: QuerySearch.self) else { return .YES }
          let bytes = UnsafeRawBufferPointer(start: key, count: count)
          search.pointee.names.append(String(validating: bytes, as: UTF8.self) ?? "\u{0}")
          return .YES
        }, search)
    }
    return search.names
  }

  private func value(_ kind: MHD_ValueKind, _ name: String) -> String? {
    var value: UnsafePointer<CChar>?
    var count = 0
    guard
      MHD_lookup_connection_value_n(connection.pointer, kind, name, name.utf8.count, &value, &count) == .YES,
      let value
    else { return nil }
    // By its length: a NUL within must not hide the rest.
    let bytes = UnsafeRawBufferPointer(start: value, count: count)
    // What is not UTF-8 is there all the same: a NUL stands for it, which no name, topic or host may hold.
    return String(validating: bytes, as: UTF8.self) ?? "\u{0}"
  }
}

/// Counts headers while the library lists them.
private struct HeaderSearch {
  let name: String
  var count = 0
}

/// Lists arguments while the library names them.
private struct QuerySearch {
  var names: [String] = []
}

/// A whole answer.
struct HTTPResponse: Sendable {
  let status: UInt32
  let contentType: String
  let body: [UInt8]
  /// What is said beside the type: names and values.
  var headers: [(name: String, value: String)] = []

  /// An answer of some type.
  init(status: UInt32 = 200, contentType: String, body: [UInt8]) {
    self.status = status
    self.contentType = contentType
    self.body = body
  }

  /// An answer of JSON.
  init(status: UInt32 = 200, json: [UInt8]) {
    self.init(status: status, contentType: "application/json", body: json)
  }

  /// An answer of plain text.
  init(text: String) {
    self.init(contentType: "text/plain; charset=utf-8", body: Array(text.utf8))
  }

  /// An object as JSON.
  init(status: UInt32 = 200, _ value: some Encodable) {
    do {
      self.init(status: status, json: try ControlCoding.encode(value))
    } catch {
      self.init(status: 500, error: error.description)
    }
  }

  /// A refusal: a JSON object that says why in one sentence.
  init(status: UInt32, error sentence: String) {
    let object = ControlFailure(error: sentence)
    self.init(status: status, json: (try? ControlCoding.encode(object)) ?? Array("{}".utf8))
  }
}

/// The body of a request, taken in piece by piece on the server's thread.
protocol HTTPUpload: AnyObject {
  /// Takes the next piece.
  ///
  /// - Throws: ``HostError`` when it cannot be kept; what follows is not offered any more then.
  func write(_ bytes: UnsafeRawBufferPointer) throws(HostError)
  /// The body is complete; the answer may come later.
  func finish(_ reply: HTTPReply)
  /// The body will not be completed.
  func cancel()
}

/// What is to be done about a request.
enum HTTPHandling {
  /// Answer at once, without waiting for a body.
  case answer(HTTPResponse)
  /// Ask somebody who will answer, from any thread.
  case ask((HTTPReply) -> Void)
  /// Take the body in.
  case receive(any HTTPUpload)
  /// Send events until one side has had enough.
  case stream(EventStream)
}
