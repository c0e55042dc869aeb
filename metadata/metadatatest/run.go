package metadatatest

import (
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/metadata"
)

// Run runs the suite. open returns a Store with a migrated schema; it is called once for each test and closes the Store when
// the test ends. Several tests may get the same database.
func Run(t *testing.T, open func(t *testing.T) metadata.Store) {
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) { c.test(&fixture{TB: t, s: open(t)}) })
	}
	t.Run("Random", func(t *testing.T) { testRandom(t, open(t)) })
}

// RunSequential is Run without the tests that make changes at the same time: for an engine's code on a server that is not
// the engine, where conflicts end differently.
func RunSequential(t *testing.T, open func(t *testing.T) metadata.Store) {
	for _, c := range tests {
		if !strings.HasPrefix(c.name, "Concurrent") {
			t.Run(c.name, func(t *testing.T) { c.test(&fixture{TB: t, s: open(t)}) })
		}
	}
	t.Run("Random", func(t *testing.T) { testRandom(t, open(t)) })
}

var tests = []struct {
	name string
	test func(*fixture)
}{
	{"Migrate", testMigrate},
	{"CreateAccounts", testCreateAccounts},
	{"CreateAccountsRepeated", testCreateAccountsRepeated},
	{"CreateAccountsTakenByAlias", testCreateAccountsTakenByAlias},
	{"ManyAccounts", testManyAccounts},
	{"AccountsInOrder", testAccountsInOrder},
	{"SetPasswordHashAndQuota", testSetPasswordHashAndQuota},
	{"RemoveAccount", testRemoveAccount},
	{"Aliases", testAliases},
	{"LookupAddresses", testLookupAddresses},
	{"Domains", testDomains},
	{"DetailMailboxes", testDetailMailboxes},
	{"CreateMailbox", testCreateMailbox},
	{"CreateMailboxRefused", testCreateMailboxRefused},
	{"UIDValidityRises", testUIDValidityRises},
	{"MailboxesInByteOrder", testMailboxesInByteOrder},
	{"DeleteMailbox", testDeleteMailbox},
	{"RenameMailboxes", testRenameMailboxes},
	{"RenameMailboxesRefused", testRenameMailboxesRefused},
	{"ClaimRecent", testClaimRecent},
	{"ModSeqs", testModSeqs},
	{"Subscriptions", testSubscriptions},
	{"Append", testAppend},
	{"AppendRefusesOne", testAppendRefusesOne},
	{"AppendRepeated", testAppendRepeated},
	{"AppendManyAccounts", testAppendManyAccounts},
	{"AppendLargeBatch", testAppendLargeBatch},
	{"AppendAllOrNone", testAppendAllOrNone},
	{"Replace", testReplace},
	{"ReplaceThread", testReplaceThread},
	{"ReplaceElsewhere", testReplaceElsewhere},
	{"ReplaceRefused", testReplaceRefused},
	{"MessagesByUID", testMessagesByUID},
	{"URLKeys", testURLKeys},
	{"UIDLs", testUIDLs},
	{"Annotations", testAnnotations},
	{"ServerAnnotations", testServerAnnotations},
	{"AnnotationsRefused", testAnnotationsRefused},
	{"CopyAnnotations", testCopyAnnotations},
	{"AnnotationDigests", testAnnotationDigests},
	{"Bodies", testBodies},
	{"Quota", testQuota},
	{"QuotaGrace", testQuotaGrace},
	{"QuotaUse", testQuotaUse},
	{"Recount", testRecount},
	{"DomainQuota", testDomainQuota},
	{"LoadMailboxNotFound", testLoadMailboxNotFound},
	{"StoreFlags", testStoreFlags},
	{"StoreFlagsKeywords", testStoreFlagsKeywords},
	{"StoreFlagsUnchangedSince", testStoreFlagsUnchangedSince},
	{"StoreFlagsSparseAndLarge", testStoreFlagsSparseAndLarge},
	{"ChangesSince", testChangesSince},
	{"Copy", testCopy},
	{"CopyToItself", testCopyToItself},
	{"CopyToAnotherAccount", testCopyToAnotherAccount},
	{"CopyRefused", testCopyRefused},
	{"CopyLarge", testCopyLarge},
	{"Move", testMove},
	{"MoveToItself", testMoveToItself},
	{"MoveToAnotherAccount", testMoveToAnotherAccount},
	{"Expunge", testExpunge},
	{"ExpungeAll", testExpungeAll},
	{"CopyDropsFlags", testCopyDropsFlags},
	{"StoreFlagsKeeps", testStoreFlagsKeeps},
	{"ACL", testACL},
	{"ACLLimit", testACLLimit},
	{"ACLInherited", testACLInherited},
	{"ACLOfRemovedAccount", testACLOfRemovedAccount},
	{"MailboxesOf", testMailboxesOf},
	{"SharedWith", testSharedWith},
	{"SharedAccounts", testSharedAccounts},
	{"Threads", testThreads},
	{"ThreadsInOneBatch", testThreadsInOneBatch},
	{"ThreadsOfCopies", testThreadsOfCopies},
	{"VanishedSince", testVanishedSince},
	{"PurgeExpunged", testPurgeExpunged},
	{"PurgeExpungedOfDeletedMailbox", testPurgeExpungedOfDeletedMailbox},
	{"Leases", testLeases},
	{"LeaseRunsOut", testLeaseRunsOut},
	{"Scripts", testScripts},
	{"ScriptsRefused", testScriptsRefused},
	{"ScriptLimits", testScriptLimits},
	{"ScriptStates", testScriptStates},
	{"ScriptErrors", testScriptErrors},
	{"ScriptsOfTheAdministrator", testAdminScripts},
	{"Handles", testHandles},
	{"Enqueue", testEnqueue},
	{"EnqueueOnce", testEnqueueOnce},
	{"OutboundLeases", testOutboundLeases},
	{"OutboundResults", testOutboundResults},
	{"OutboundAdministration", testOutboundAdministration},
	{"OutboundExpires", testOutboundExpires},
	{"CancelledContext", testCancelledContext},
	{"ConcurrentAppends", testConcurrentAppends},
	{"ConcurrentChanges", testConcurrentChanges},
	{"ConcurrentMovesBetweenAccounts", testConcurrentMoves},
	{"ConcurrentCreateAccounts", testConcurrentCreateAccounts},
	{"ConcurrentHandles", testConcurrentHandles},
	{"ConcurrentClaims", testConcurrentClaims},
}
