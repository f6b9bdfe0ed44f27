CREATE TABLE "account_keys" (
	"account_id" text PRIMARY KEY NOT NULL,
	"sealed_key" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "agent_tools" (
	"id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"toolbox_id" text NOT NULL,
	"instance_id" text NOT NULL,
	"agent_id" text NOT NULL,
	"last_used_at" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"status" jsonb,
	"observed_at" timestamp (3) with time zone,
	"welcomed_generation" integer DEFAULT 0 NOT NULL,
	"lease_owner" text,
	"lease_until" timestamp (3) with time zone,
	"lease_epoch" bigint DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "agent_tool_credentials" (
	"id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"toolbelt_item_id" text NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"sealed" text NOT NULL,
	"hints" jsonb NOT NULL,
	"changed_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"state" text DEFAULT 'unverified' NOT NULL,
	"reason" text,
	CONSTRAINT "agent_tool_credentials_toolbelt_item_id_unique" UNIQUE("toolbelt_item_id"),
	CONSTRAINT "credential_state" CHECK ("agent_tool_credentials"."state" in ('unverified','valid','refused'))
);
--> statement-breakpoint
ALTER TABLE "agent_tools" ADD CONSTRAINT "agent_tools_toolbox_id_account_tool_environments_id_fk" FOREIGN KEY ("toolbox_id") REFERENCES "public"."account_tool_environments"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "agent_tool_credentials" ADD CONSTRAINT "agent_tool_credentials_toolbelt_item_id_agent_toolbelt_items_id_fk" FOREIGN KEY ("toolbelt_item_id") REFERENCES "public"."agent_toolbelt_items"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "agent_tool_toolbox" ON "agent_tools" USING btree ("toolbox_id");--> statement-breakpoint
CREATE INDEX "agent_tool_instance" ON "agent_tools" USING btree ("instance_id");