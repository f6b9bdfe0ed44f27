CREATE TABLE "api_tokens" (
	"id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"user_id" text NOT NULL,
	"name" text NOT NULL,
	"role" text NOT NULL,
	"digest" text NOT NULL,
	"hint" text NOT NULL,
	"last_used_at" timestamp (3) with time zone,
	"expires_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "api_tokens_digest_unique" UNIQUE("digest")
);
--> statement-breakpoint
CREATE TABLE "sign_in_links" (
	"digest" text PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"used_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "agent_tokens" (
	"id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"agent_id" text NOT NULL,
	"name" text NOT NULL,
	"digest" text NOT NULL,
	"hint" text NOT NULL,
	"last_used_at" timestamp (3) with time zone,
	"expires_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "agent_tokens_digest_unique" UNIQUE("digest")
);
--> statement-breakpoint
CREATE TABLE "agent_toolbox_access" (
	"account_id" text NOT NULL,
	"agent_id" text NOT NULL,
	"toolbox_id" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "agent_toolbox_access_agent_id_toolbox_id_pk" PRIMARY KEY("agent_id","toolbox_id")
);
--> statement-breakpoint
CREATE TABLE "agents" (
	"id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"enabled" boolean DEFAULT true NOT NULL,
	"last_call_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "agent_tool_capability_permissions" (
	"account_id" text NOT NULL,
	"toolbelt_item_id" text NOT NULL,
	"capability" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "agent_tool_capability_permissions_toolbelt_item_id_capability_pk" PRIMARY KEY("toolbelt_item_id","capability")
);
--> statement-breakpoint
CREATE TABLE "agent_toolbelt_items" (
	"id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"agent_id" text NOT NULL,
	"instance_id" text NOT NULL,
	"enabled" boolean DEFAULT true NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "account_tool_instances" (
	"id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"toolbox_id" text NOT NULL,
	"tool_id" text NOT NULL,
	"name" text NOT NULL,
	"desired" text NOT NULL,
	"generation" integer DEFAULT 1 NOT NULL,
	"config" jsonb NOT NULL,
	"status" jsonb,
	"observed_at" timestamp (3) with time zone,
	"capabilities" jsonb,
	"capability_digest" text,
	"refusal" jsonb,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"lease_owner" text,
	"lease_until" timestamp (3) with time zone,
	"lease_epoch" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "instance_desired" CHECK ("account_tool_instances"."desired" in ('running','stopped','absent'))
);
--> statement-breakpoint
CREATE TABLE "activities" (
	"id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"actor" text NOT NULL,
	"action" text NOT NULL,
	"subject" text NOT NULL,
	"toolbox_id" text,
	"message" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "tool_calls" (
	"id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"agent_id" text NOT NULL,
	"agent_name" text NOT NULL,
	"instance_id" text,
	"instance_name" text,
	"capability" text NOT NULL,
	"outcome" text NOT NULL,
	"code" text,
	"started_at" timestamp (3) with time zone NOT NULL,
	"duration_ms" double precision NOT NULL,
	"argument_digest" text NOT NULL,
	"argument_bytes" bigint NOT NULL,
	"result_bytes" bigint
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"account_id" text NOT NULL,
	"key" text NOT NULL,
	"operation" text NOT NULL,
	"request_digest" text NOT NULL,
	"reply" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "idempotency_keys_account_id_key_pk" PRIMARY KEY("account_id","key")
);
--> statement-breakpoint
CREATE TABLE "enrolment_tokens" (
	"digest" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"toolbox_id" text NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"used_at" timestamp (3) with time zone,
	"used_by_key" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "account_tool_environments" (
	"id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"name" text NOT NULL,
	"provider" text NOT NULL,
	"desired" text DEFAULT 'present' NOT NULL,
	"status" text DEFAULT 'pending_provision' NOT NULL,
	"status_reason" text,
	"status_since" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"do_droplet_id" bigint,
	"public_ip_address" text,
	"last_heartbeat_at" timestamp (3) with time zone,
	"run_id" text,
	"heartbeat_seq" bigint DEFAULT 0 NOT NULL,
	"superseded_runs" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"dtma_version" text,
	"machine" jsonb,
	"docker" jsonb,
	"system" jsonb,
	"observation" jsonb,
	"enrol_epoch" integer DEFAULT 0 NOT NULL,
	"public_key" text,
	"dtma_bearer_token" text,
	"backend_to_dtma_api_key" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"deleted_at" timestamp (3) with time zone,
	"lease_owner" text,
	"lease_until" timestamp (3) with time zone,
	"lease_epoch" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "toolbox_status" CHECK ("account_tool_environments"."status" in ('pending_provision','provisioning','awaiting_heartbeat','active','unresponsive','error_provisioning','pending_deprovision','deprovisioning','deprovisioned','error_deprovisioning','resizing','quarantined'))
);
--> statement-breakpoint
ALTER TABLE "agent_tokens" ADD CONSTRAINT "agent_tokens_agent_id_agents_id_fk" FOREIGN KEY ("agent_id") REFERENCES "public"."agents"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "agent_toolbox_access" ADD CONSTRAINT "agent_toolbox_access_agent_id_agents_id_fk" FOREIGN KEY ("agent_id") REFERENCES "public"."agents"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "agent_toolbox_access" ADD CONSTRAINT "agent_toolbox_access_toolbox_id_account_tool_environments_id_fk" FOREIGN KEY ("toolbox_id") REFERENCES "public"."account_tool_environments"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "agent_tool_capability_permissions" ADD CONSTRAINT "agent_tool_capability_permissions_toolbelt_item_id_agent_toolbelt_items_id_fk" FOREIGN KEY ("toolbelt_item_id") REFERENCES "public"."agent_toolbelt_items"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "agent_toolbelt_items" ADD CONSTRAINT "agent_toolbelt_items_agent_id_agents_id_fk" FOREIGN KEY ("agent_id") REFERENCES "public"."agents"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "agent_toolbelt_items" ADD CONSTRAINT "agent_toolbelt_items_instance_id_account_tool_instances_id_fk" FOREIGN KEY ("instance_id") REFERENCES "public"."account_tool_instances"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "account_tool_instances" ADD CONSTRAINT "account_tool_instances_toolbox_id_account_tool_environments_id_fk" FOREIGN KEY ("toolbox_id") REFERENCES "public"."account_tool_environments"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "enrolment_tokens" ADD CONSTRAINT "enrolment_tokens_toolbox_id_account_tool_environments_id_fk" FOREIGN KEY ("toolbox_id") REFERENCES "public"."account_tool_environments"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "api_token_user" ON "api_tokens" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "agent_token_agent" ON "agent_tokens" USING btree ("agent_id");--> statement-breakpoint
CREATE UNIQUE INDEX "agent_name" ON "agents" USING btree ("account_id","name");--> statement-breakpoint
CREATE UNIQUE INDEX "toolbelt_once" ON "agent_toolbelt_items" USING btree ("agent_id","instance_id");--> statement-breakpoint
CREATE INDEX "toolbelt_instance" ON "agent_toolbelt_items" USING btree ("instance_id");--> statement-breakpoint
CREATE UNIQUE INDEX "instance_name" ON "account_tool_instances" USING btree ("toolbox_id","name");--> statement-breakpoint
CREATE INDEX "instance_toolbox" ON "account_tool_instances" USING btree ("toolbox_id");--> statement-breakpoint
CREATE INDEX "activity_time" ON "activities" USING btree ("account_id","at");--> statement-breakpoint
CREATE INDEX "call_time" ON "tool_calls" USING btree ("account_id","started_at");--> statement-breakpoint
CREATE UNIQUE INDEX "toolbox_name" ON "account_tool_environments" USING btree ("account_id","name") WHERE deleted_at is null;--> statement-breakpoint
CREATE UNIQUE INDEX "toolbox_bearer_token" ON "account_tool_environments" USING btree ("dtma_bearer_token");--> statement-breakpoint
CREATE INDEX "toolbox_lease" ON "account_tool_environments" USING btree ("lease_until");