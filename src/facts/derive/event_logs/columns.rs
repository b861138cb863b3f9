//! What the columns of an event log say: who, what, when, in whose name, to what, with which proof.

use super::super::catalog::{Column, Relation};
use super::names::snake;
use std::collections::HashSet;
use std::sync::LazyLock;

/// Which types a column of a role may have.
#[derive(Clone, Copy)]
enum Types {
    /// `timestamptz`, or whole numbers where the name says that they count time.
    Time,
    /// Text, uuid, a number, a name: something that identifies.
    Name,
    /// Text or an enum: a word out of few.
    Word,
    /// JSON or text.
    Document,
    /// Bytes or text.
    Digest,
    /// Whole numbers.
    Number,
    /// An array, JSON or text.
    Many,
    Any,
}

impl Types {
    fn admit(self, column: &Column) -> bool {
        let name = column.type_name.as_str();
        let text = matches!(name, "text" | "varchar" | "bpchar" | "citext" | "name");
        let number = matches!(name, "int2" | "int4" | "int8" | "numeric");
        let json = matches!(name, "json" | "jsonb" | "hstore");
        match self {
            Self::Time => matches!(name, "timestamptz" | "timestamp" | "date" | "int8" | "numeric"),
            Self::Name => text || number || matches!(name, "uuid" | "oid" | "regrole") || json,
            Self::Word => text || column.type_kind == "enum" || matches!(name, "int2" | "int4" | "uuid"),
            Self::Document => {
                text || json || column.type_kind == "composite" || name == "bytea" || column.type_kind == "array"
            }
            Self::Digest => text || name == "bytea",
            Self::Number => number,
            Self::Many => column.type_kind == "array" || json || text,
            Self::Any => true,
        }
    }
}

/// Role, types, and names in order of preference; `*` stands for the rest of a name.
const ROLES: &[(&str, Types, &str)] = &[
    (
        "time",
        Types::Time,
        "occurred_at happened_at event_time event_timestamp event_at event_date logged_at log_time recorded_at \
         performed_at executed_at called_at invoked_at acted_at action_at action_time action_timestamp action_tstamp \
         action_tstamp_tx audited_at audit_time changed_at change_time change_date retrieved_at queried_at \
         accessed_at decided_at timestamp event_ts ts at time tstamp stamp created_at inserted_at create_time \
         created_time created_on created creation_date date_created date_time datetime started_at start_time \
         transaction_time valid_from create_at createat admin_event_time date when logdate date_added dbuser_time",
    ),
    (
        "actor",
        Types::Name,
        "actor_id actor actor_ref actor_name actor_uuid actor_key actor_user_id actor_principal performed_by \
         performed_by_id performer_id performer executed_by invoked_by triggered_by called_by caller_id caller \
         whodunnit who causer_id initiator_id initiator initiated_by principal_id principal principal_name \
         changed_by changed_by_id modified_by acted_by action_by done_by recorded_by logged_by agent_id agent_name \
         agent user_id userid user username user_name auth_user_id user_email user_uuid login session_user_name \
         session_username db_user dbuser operator_id operator admin_id admin_user_id employee_id staff_id member_id \
         created_by created_by_id author_id author requested_by requester_id by identity",
    ),
    (
        "actor kind",
        Types::Word,
        "actor_kind actor_type actor_class actor_category actor_role_type kind_of_actor principal_type \
         principal_kind performer_type performer_kind performed_by_type performed_by_kind causer_type initiator_type \
         initiator_kind initiated_by_type caller_type caller_kind author_type author_kind user_type user_kind \
         identity_type identity_kind triggered_by_type changed_by_type created_by_type executed_by_type source_type \
         invoker_type",
    ),
    (
        "on behalf of",
        Types::Name,
        "on_behalf_of on_behalf_of_* behalf_of obo obo_* acting_for acting_for_user* for_user for_user_id delegator \
         delegator_id delegated_by delegated_from impersonated_user* principal_user_id",
    ),
    ("act chain", Types::Any, "act_chain act act_claim actor_chain delegation_chain delegation_path"),
    ("acting for tenant", Types::Name, "acting_for_tenant acting_for_tenant_id acting_tenant_id on_behalf_of_tenant*"),
    (
        "action",
        Types::Word,
        "action action_type action_name action_kind action_flag event_type event_name event_kind event verb \
         operation operation_type op op_type activity activity_type change_type crud_type tool_name tool \
         function_name method command query_type statement log_type log_name action_taken what type kind category \
         description message",
    ),
    ("tool", Types::Name, "tool_name tool tool_id function_name mcp_tool tool_call_name"),
    (
        "object",
        Types::Name,
        "object_ref object_id object_key object_pk object object_type target_id target target_ref target_type \
         resource_id resource resource_ref resource_type resource_path entity_id entity entity_type record_id \
         record_pk row_id row_pk item_id item_type subject_id subject_type subject auditable_id auditable_type \
         affected_id affected_table table_name table_oid relation document_id repr_id",
    ),
    (
        "before",
        Types::Document,
        "before before_* old_data old_value* old_record old_row old_status old previous_value* from_status row_data",
    ),
    (
        "after",
        Types::Document,
        "after after_* new_data new_value* new_record new_row new_status new updated_values to_status changed_fields \
         record",
    ),
    (
        "payload",
        Types::Document,
        "payload details detail event_data data body content changes audited_changes object_changes diff arguments \
         args params parameters tool_args tool_input input request context properties attributes metadata meta extra \
         extra_info info representation change_message object_repr message entry description",
    ),
    (
        "payload digest",
        Types::Digest,
        "payload_hash payload_digest payload_sha256 payload_checksum content_hash content_digest content_sha256 \
         data_hash data_digest body_hash body_digest args_hash arguments_hash input_hash details_hash details_digest",
    ),
    ("salt", Types::Digest, "*salt"),
    (
        "previous hash",
        Types::Digest,
        "prev_hash previous_hash parent_hash prior_hash last_hash hash_prev prev_digest previous_digest \
         prev_checksum previous_checksum prev_*hash previous_*hash prev_*digest previous_*digest prev_sha* \
         previous_sha* prev_signature previous_signature prev_hmac previous_hmac prev_mac chain_prev prev prev_link",
    ),
    (
        "hash",
        Types::Digest,
        "row_hash entry_hash event_hash record_hash chain_hash this_hash current_hash curr_hash self_hash own_hash \
         log_hash block_hash integrity_hash link_hash hash hash_value hash_current row_digest entry_digest \
         event_digest digest checksum row_checksum hmac mac row_hmac sha256 row_sha256 hash_chain chain",
    ),
    (
        "sequence",
        Types::Number,
        "seq chain_seq sequence sequence_number sequence_no sequence_id seq_no seq_num event_seq log_seq position \
         chain_position chain_index ordinal event_number entry_number idx version lsn",
    ),
    (
        "decision",
        Types::Any,
        "decision verdict outcome allowed is_allowed was_allowed granted permitted effect authorized access_decision \
         policy_decision result success succeeded status",
    ),
    ("reason", Types::Document, "deny_reason denial_reason denied_reason decision_reason reason why justification"),
    (
        "trace",
        Types::Name,
        "prompt_ref prompt_id prompt_hash trace_id run_id agent_run_id checkpoint_id conversation_id thread_id \
         session_id correlation_id request_id span_id step_id workflow_id root_run_id message_id",
    ),
    (
        "decision reference",
        Types::Name,
        "decision_id decision_ref authorization_id authz_id approval_id gate_id policy_decision_id",
    ),
    (
        "idempotency",
        Types::Name,
        "idempotency_key idempotency_token idempotent_key dedup_key dedupe_key deduplication_id deduplication_key \
         external_event_id",
    ),
    (
        "redaction",
        Types::Any,
        "redacted_at tombstoned_at erased_at redacted is_redacted tombstone is_tombstone purged_at",
    ),
    (
        "redacted by",
        Types::Name,
        "redacted_by_event redaction_event redaction_event_id erased_by_event tombstone_event_id redacted_by",
    ),
    ("signature", Types::Digest, "signature row_signature sig signed_digest cosignature ed25519_signature"),
    ("key id", Types::Name, "key_id signing_key_id signer_key_id signed_by"),
    (
        "database role",
        Types::Name,
        "db_role db_user database_role database_user session_user_name session_username pg_role login_role",
    ),
    (
        "snapshot",
        Types::Any,
        "policy_version acl_version policy_hash decided_by_role role_at_time actor_role user_role roles role_name \
         effective_role classification classification_at* clearance permissions_snapshot acl_snapshot",
    ),
    (
        "retrieved",
        Types::Many,
        "retrieved_ids retrieved_chunk_ids retrieved_chunks retrieved_documents retrieved_document_ids retrieved \
         candidate_ids matched_ids matched_chunk_ids result_ids chunk_ids document_ids doc_ids",
    ),
    (
        "authorized",
        Types::Many,
        "authorized_ids authorized_chunk_ids authorized_chunks authorised_ids authorised_chunk_ids allowed_ids \
         allowed_chunk_ids returned_ids returned_chunk_ids permitted_ids surviving_ids",
    ),
    (
        "denied",
        Types::Many,
        "denied denied_ids denied_chunk_ids denied_chunks filtered_ids filtered_out filtered_chunk_ids withheld_ids \
         removed_ids denials",
    ),
    ("query", Types::Document, "query query_text question search_query raw_query user_query"),
    ("query digest", Types::Digest, "query_hash query_digest query_redacted redacted_query query_sha256 question_hash"),
];

/// A time column's names that tell something else than when the event happened.
const OTHER_TIMES: &str = "updated_at deleted_at redacted_at expires_at expire_at valid_to valid_until processed_at published_at \
    archived_at tombstoned_at erased_at ends_at ended_at finished_at completed_at purged_at";

/// A name that columns of a role have: the whole of it, or how it starts and ends. `prev_*hash` is `prev_row_hash` too.
#[derive(Clone, Copy)]
pub(crate) struct Pattern(&'static str, Option<&'static str>);

impl Pattern {
    fn of(name: &'static str) -> Self {
        name.split_once('*').map_or(Self(name, None), |(start, end)| Self(start, Some(end)))
    }

    fn fits(self, snake: &str) -> bool {
        match self {
            Self(whole, None) => whole == snake,
            Self(start, Some(end)) => {
                snake.len() >= start.len() + end.len() && snake.starts_with(start) && snake.ends_with(end)
            }
        }
    }

    pub(crate) fn is(self, column: &str) -> bool {
        self.fits(&snake(column))
    }
}

/// The names of each of [`ROLES`], the usual ones first.
static NAMES: LazyLock<Vec<Vec<Pattern>>> =
    LazyLock::new(|| ROLES.iter().map(|(.., names)| names.split_whitespace().map(Pattern::of).collect()).collect());

/// All whole names, and all others.
static LISTED: LazyLock<(HashSet<&'static str>, Vec<Pattern>)> = LazyLock::new(|| {
    let (whole, parts): (Vec<_>, Vec<_>) = NAMES.iter().flatten().copied().partition(|Pattern(_, end)| end.is_none());
    (whole.into_iter().map(|Pattern(name, _)| name).collect(), parts)
});

fn is_listed(name: &str) -> bool {
    let (whole, parts) = &*LISTED;
    whole.contains(name) || parts.iter().any(|pattern| pattern.fits(name))
}

/// The columns of a relation that play a role, each role once, in the order of [`ROLES`].
pub(super) fn roles(relation: &Relation) -> Vec<(&'static str, i64)> {
    let columns: Vec<(String, &Column)> = relation.columns.iter().map(|column| (snake(&column.name), column)).collect();
    let listed: Vec<_> = columns.iter().filter(|(name, _)| is_listed(name)).collect();
    let mut found: Vec<(&'static str, i64)> = Vec::new();
    for ((role, types, _), names) in ROLES.iter().zip(NAMES.iter()) {
        let taken = |number: i64| match *role {
            // One column may say both: a tool is an action, `status` a decision. Not these: the second reading is another thing.
            "action" => has(&found, "actor kind", number) || has(&found, "actor", number),
            "hash" => has(&found, "payload digest", number) || has(&found, "previous hash", number),
            "payload" => ["action", "before", "after"].iter().any(|other| has(&found, other, number)),
            _ => false,
        };
        let best = names.iter().filter(|_| !listed.is_empty()).find_map(|name| {
            let fits = |(snake, column): &&&(String, &Column)| {
                name.fits(snake) && types.admit(column) && !taken(column.number)
            };
            listed.iter().find(fits).map(|(_, column)| column.number)
        });
        let best = best.or_else(|| match *role {
            "time" => any_time(&columns),
            "hash" if found.iter().any(|(role, _)| *role == "previous hash") => any_hash(&columns, &found),
            _ => None,
        });
        found.extend(best.map(|number| (*role, number)));
    }
    second_person(&columns, &mut found);
    found
}

/// The names that columns of a role have, the usual ones first.
pub(crate) fn names_of(role: &str) -> impl Iterator<Item = Pattern> {
    let found = ROLES.iter().zip(NAMES.iter()).find(|((name, ..), _)| *name == role);
    found.into_iter().flat_map(|(_, names)| names.iter().copied())
}

fn has(found: &[(&str, i64)], role: &str, number: i64) -> bool {
    found.iter().any(|(other, column)| *other == role && *column == number)
}

fn any_time(columns: &[(String, &Column)]) -> Option<i64> {
    let stamp = |c: &Column| matches!(c.type_name.as_str(), "timestamptz" | "timestamp");
    let mut candidates =
        columns.iter().filter(|(name, c)| stamp(c) && !OTHER_TIMES.split(' ').any(|other| other == name));
    let timely = |name: &str| {
        name.ends_with("_at")
            || name.ends_with("_time")
            || name.ends_with("_on")
            || name.ends_with("_ts")
            || name.contains("timestamp")
    };
    candidates.find(|(name, _)| timely(name)).map(|(_, column)| column.number)
}

fn any_hash(columns: &[(String, &Column)], found: &[(&str, i64)]) -> Option<i64> {
    let free = |number| !has(found, "previous hash", number) && !has(found, "payload digest", number);
    let hash = |name: &str| {
        name.ends_with("hash") || name.ends_with("digest") || name.ends_with("hmac") || name.ends_with("checksum")
    };
    columns.iter().find(|(name, c)| hash(name) && Types::Digest.admit(c) && free(c.number)).map(|(_, c)| c.number)
}

/// Beside an actor of another name, a user's column says in whose name it acted.
fn second_person(columns: &[(String, &Column)], found: &mut Vec<(&'static str, i64)>) {
    let Some(&(_, actor)) = found.iter().find(|(role, _)| *role == "actor") else { return };
    if found.iter().any(|(role, _)| *role == "on behalf of") {
        return;
    }
    let users = [
        "user_id",
        "userid",
        "end_user_id",
        "end_user",
        "customer_user_id",
        "subject_user_id",
        "requested_by",
        "requester_id",
    ];
    let user = users.iter().find_map(|user| columns.iter().find(|(name, c)| name == user && c.number != actor));
    found.extend(user.map(|(_, column)| ("on behalf of", column.number)));
}
