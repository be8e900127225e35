import StarlingBroadcast
import StarlingCore
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

  @Test(
    "Timers that others can make many of are not essential; those without which a member stands still are")
  func essentialTimers() {
    typealias Member = GroupMember<Scamp<IdealAdmission>, BroadcastTree<IdealAuthenticator>>
    #expect(!Member.isEssential(.diffusion(.missing(MessageIdentifier(origin: Peer(1), sequence: 2)))))
    for timer in [
      Member.Timer.overlay(.round(count: 3)), .overlay(.subscription(attempt: 1)), .diffusion(.pulse(1)),
      .diffusion(.recovery), .diffusion(.news),
    ] {
      #expect(Member.isEssential(timer))
    }
  }
}
