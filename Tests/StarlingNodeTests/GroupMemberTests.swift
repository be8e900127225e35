import StarlingBroadcast
import StarlingNode
import StarlingOverlay
import Testing

@Suite("A member of a group")
struct GroupMemberTests {
  @Test("A simulated member's messages are plain memory")
  func plainMemory() {
    // See the same promise about the tree: a reference in any message of either layer makes copying every
    // message a call through run-time type information.
    #expect(_isPOD(GroupMember<Scamp<IdealAdmission>, BroadcastTree<IdealAuthenticator>>.Message.self))
  }
}
