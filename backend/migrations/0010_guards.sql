CREATE TABLE "oauth_connection_attempts" (
	"digest" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"toolbelt_item_id" text NOT NULL,
	"user_id" text NOT NULL,
	"server" jsonb NOT NULL,
	"redirect_uri" text NOT NULL,
	"field" text NOT NULL,
	"resource" text,
	"scopes" jsonb NOT NULL,
	"verifier" text NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"used_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "oauth_connections" (
	"id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"toolbelt_item_id" text NOT NULL,
	"server" jsonb NOT NULL,
	"field" text NOT NULL,
	"resource" text,
	"scopes" jsonb NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"refresh_token" text,
	"connected_by" text NOT NULL,
	"connected_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"state" text DEFAULT 'connected' NOT NULL,
	"reason" text,
	"expires_at" timestamp (3) with time zone,
	"refresh_at" timestamp (3) with time zone,
	"sent_at" timestamp (3) with time zone,
	"failures" integer DEFAULT 0 NOT NULL,
	"withdrawn" boolean DEFAULT false NOT NULL,
	"lease_owner" text,
	"lease_until" timestamp (3) with time zone,
	"lease_epoch" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "oauth_connections_toolbelt_item_id_unique" UNIQUE("toolbelt_item_id"),
	CONSTRAINT "oauth_connection_state" CHECK ("oauth_connections"."state" in ('connected','requires_reauth'))
);
--> statement-breakpoint
CREATE TABLE "oauth_upstream_clients" (
	"account_id" text NOT NULL,
	"issuer" text NOT NULL,
	"client_id" text NOT NULL,
	"secret" text,
	"registered" text NOT NULL,
	"redirect_uri" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "oauth_upstream_clients_account_id_issuer_pk" PRIMARY KEY("account_id","issuer")
);
--> statement-breakpoint
CREATE TABLE "tool_flow_labels" (
	"account_id" text NOT NULL,
	"instance_id" text NOT NULL,
	"capability" text NOT NULL,
	"labels" jsonb NOT NULL,
	CONSTRAINT "tool_flow_labels_instance_id_capability_pk" PRIMARY KEY("instance_id","capability")
);
--> statement-breakpoint
CREATE TABLE "call_payloads" (
	"call_id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"agent_id" text NOT NULL,
	"instance_id" text NOT NULL,
	"sealed" text NOT NULL,
	"bytes" bigint NOT NULL,
	"kept_until" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "call_payload_rules" (
	"account_id" text NOT NULL,
	"instance_id" text NOT NULL,
	"days" integer NOT NULL,
	"most_bytes" integer NOT NULL,
	"redact" jsonb NOT NULL,
	CONSTRAINT "call_payload_rules_account_id_instance_id_pk" PRIMARY KEY("account_id","instance_id")
);
--> statement-breakpoint
ALTER TABLE "call_settings" ADD COLUMN "secrets" text DEFAULT 'redact' NOT NULL;--> statement-breakpoint
ALTER TABLE "call_settings" ADD COLUMN "data_flow" text DEFAULT 'warn' NOT NULL;--> statement-breakpoint
ALTER TABLE "tool_calls" ADD COLUMN "secrets_seen" jsonb;--> statement-breakpoint
ALTER TABLE "oauth_connection_attempts" ADD CONSTRAINT "oauth_connection_attempts_toolbelt_item_id_agent_toolbelt_items_id_fk" FOREIGN KEY ("toolbelt_item_id") REFERENCES "public"."agent_toolbelt_items"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "oauth_connection_attempts" ADD CONSTRAINT "oauth_connection_attempts_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "oauth_connections" ADD CONSTRAINT "oauth_connections_toolbelt_item_id_agent_toolbelt_items_id_fk" FOREIGN KEY ("toolbelt_item_id") REFERENCES "public"."agent_toolbelt_items"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tool_flow_labels" ADD CONSTRAINT "tool_flow_labels_instance_id_account_tool_instances_id_fk" FOREIGN KEY ("instance_id") REFERENCES "public"."account_tool_instances"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "oauth_attempt_item" ON "oauth_connection_attempts" USING btree ("toolbelt_item_id");--> statement-breakpoint
CREATE INDEX "payload_until" ON "call_payloads" USING btree ("kept_until");--> statement-breakpoint
CREATE INDEX "payload_of" ON "call_payloads" USING btree ("account_id","instance_id");