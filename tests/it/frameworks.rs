//! The tables of agent frameworks are recognised, and what is said of them is true of the database they are in.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use govctl::assess;
use govctl::check::proof::facts_of;
use govctl::check::{Library, Severity};
use govctl::config::Config;
use sqlx::Connection;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Files under `fixtures/frameworks`, with what their `-- is:` lines claim: table, framework and part.
fn fixtures() -> Vec<(String, String, BTreeSet<String>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/frameworks");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let script = std::fs::read_to_string(&path).unwrap();
        let claims = script.lines().filter_map(|line| line.strip_prefix("-- is: ")).map(str::to_owned).collect();
        found.push((path.file_stem().unwrap().to_string_lossy().into_owned(), script, claims));
    }
    found.sort();
    found
}

/// Findings a reader of the fixture has to get, at least: check and a word of the message.
const SAID: [(&str, &str, &str); 20] = [
    ("agno", "audit/agent-approves", "agno_approvals"),
    ("agno", "tenant-isolation/framework-scope-unasked", "agno_memories of Agno"),
    ("dbos", "tenant-isolation/framework-scope-unasked", "workflow_status of DBOS"),
    ("dify", "tenant-isolation/vectors-without-tenant", "embedding_vector_index"),
    ("dify", "retrieval/cache-shared", "dify.embeddings"),
    ("google_adk", "tenant-isolation/framework-scope-unasked", "adk.events of Google ADK"),
    ("google_adk", "tenant-isolation/framework-scope-unasked", "adk.sessions of Google ADK"),
    ("langchain", "tenant-isolation/vectors-without-tenant", "langchain_pg_embedding"),
    ("langchain", "tenant-isolation/tenant-data-without-key", "chat_history"),
    ("langfuse", "audit/untyped-actor", "USER and API_KEY"),
    ("langfuse", "audit/mutable-log", "updated_at"),
    ("langgraph", "tenant-isolation/tenant-data-without-key", "graph.checkpoints"),
    ("letta", "tenant-isolation/framework-scope-unasked", "letta.messages of Letta"),
    ("litellm", "audit/mutable-log", "LiteLLM_AuditLog"),
    ("litellm", "tenant-isolation/rls-disabled", "LiteLLM_SpendLogs"),
    ("llamaindex", "tenant-isolation/vectors-without-tenant", "data_handbook"),
    ("mem0", "tenant-isolation/vectors-without-tenant", "memory.mem0"),
    ("pgai", "tenant-isolation/definer-view", "articles_embedding"),
    ("pgai", "tenant-isolation/rls-disabled", "articles_embedding_store"),
    ("supabase", "tenant-isolation/search-filtered-by-argument", "match_documents"),
];

#[tokio::test]
async fn frameworks_are_recognised_and_judged() {
    let database = crate::support::cluster().await;
    let mut connection = database.connect().await;
    let library = Library::embedded().unwrap();
    let mut said: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for (name, script, claims) in fixtures() {
        let mut facts = facts_of(&script, &Config::default(), &mut connection).await.unwrap();
        let sql = "select r.schema || '.' || r.name || ' = ' || f.framework || ' ' || f.part
                   from framework_relations f join relations r on r.oid = f.relation";
        let found: Vec<String> = sqlx::query_scalar(sql).fetch_all(facts.connection()).await.unwrap();
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), claims, "{name}");
        let assessment = assess::run(&mut facts, &library, &Config::default()).await.unwrap();
        let findings = assessment.findings();
        // The product's own tables are in order: whatever is serious is said of what the framework brought.
        for (check, finding) in findings.iter().filter(|(_, finding)| finding.severity >= Severity::High) {
            let of_product = ["shop.orders", "shop.tenants", "shop.articles "];
            assert!(
                !of_product.iter().any(|table| finding.message.starts_with(table)),
                "{name} {}: {}",
                check.id,
                finding.message
            );
        }
        said.insert(
            name,
            findings.iter().map(|(check, finding)| (check.id.0.clone(), finding.message.clone())).collect(),
        );
    }
    connection.close().await.unwrap();
    for (fixture, check, word) in SAID {
        let told = said[fixture].iter().any(|(id, message)| id == check && message.contains(word));
        assert!(told, "{fixture}: {check} says nothing of {word}: {:#?}", said[fixture]);
    }
    assert!(said.len() >= 14);
}
