namespace StreamLstm.Daemon.Telemetry;

/// <summary>Every log message of the daemon. Events 100-199 sources, 200-299 pipeline and durability, 300-399 sinks and page, 400-499 training.</summary>
internal static partial class LogMessages
{
    [LoggerMessage(100, LogLevel.Information, "Source {Source} started: {Detail}")]
    public static partial void SourceStarted(ILogger logger, string source, string detail);

    [LoggerMessage(101, LogLevel.Information, "Source {Source} ended: {Detail}")]
    public static partial void SourceEnded(ILogger logger, string source, string detail);

    [LoggerMessage(102, LogLevel.Warning, "Source {Source}: {Detail}")]
    public static partial void SourceTrouble(ILogger logger, string source, string detail);

    [LoggerMessage(106, LogLevel.Error, "Source {Source}: a gap: {What}; {Then}")]
    public static partial void SourceGap(ILogger logger, string source, string what, string then);

    [LoggerMessage(104, LogLevel.Error, "Source {Source} failed and is started again: {Reason}")]
    public static partial void SourceFailed(ILogger logger, string source, string reason, Exception? failure);

    [LoggerMessage(105, LogLevel.Information, "Source {Source}: {Count} fields became no observations in the last minute ({Reason}); the last was {Last}")]
    public static partial void FieldsLeftOut(ILogger logger, string source, long count, string reason, string last);

    [LoggerMessage(107, LogLevel.Information, "{Partition} is this daemon's: from offset {Offset}, {Streams} streams, taken over in {Seconds:0.0} s")]
    public static partial void PartitionOwned(ILogger logger, string partition, long offset, int streams, double seconds);

    [LoggerMessage(108, LogLevel.Information, "{Partition} is this daemon's no more")]
    public static partial void PartitionLeft(ILogger logger, string partition);

    [LoggerMessage(109, LogLevel.Warning, "{Partition} is taken over again: {Reason}")]
    public static partial void PartitionFailed(ILogger logger, string partition, string reason, Exception? failure);

    [LoggerMessage(110, LogLevel.Warning, "Member {Instance} of group {Group} begins anew: {Reason}")]
    public static partial void MemberFailed(ILogger logger, string instance, string group, string reason);

    [LoggerMessage(111, LogLevel.Information, "Base weights of version {Version} serve from now on, trained on {Windows} windows by the daemon whose partition 0 is; loss {Champion:0.0000} -> {Candidate:0.0000}")]
    public static partial void WeightsFollowed(ILogger logger, long version, int windows, double? champion, double? candidate);

    [LoggerMessage(103, LogLevel.Debug, "Host figure {What} is left out: {Why}")]
    public static partial void HostFigureAbsent(ILogger logger, string what, string why);

    [LoggerMessage(200, LogLevel.Information, "StreamLstm {Version} is watching: open {Address} (state in {Directory})")]
    public static partial void Watching(ILogger logger, string version, string address, string directory);

    [LoggerMessage(201, LogLevel.Warning, "Snapshot {File} is unreadable ({Reason}); trying the generation before it")]
    public static partial void SnapshotUnreadable(ILogger logger, string file, string reason);

    [LoggerMessage(202, LogLevel.Warning, "Snapshot {Generation} holds streams of layout {Found}, expected {Expected}: another version wrote it. Streams learn anew; the file is kept in {Aside}")]
    public static partial void SnapshotOtherLayout(ILogger logger, long generation, int found, int expected, string aside);

    [LoggerMessage(203, LogLevel.Error, "Snapshot could not be written ({Reason}); the one before it stays valid, and the journal holds what came since")]
    public static partial void SnapshotFailed(ILogger logger, string reason, Exception? failure);

    [LoggerMessage(204, LogLevel.Information, "Restored snapshot {Generation}, {Bytes} bytes, base weights version {Version}; {Entries} journal entries follow")]
    public static partial void Restored(ILogger logger, long generation, long bytes, long version, long entries);

    [LoggerMessage(211, LogLevel.Error, "The journal cannot be written ({Reason}): nothing is taken in or acknowledged until it can")]
    public static partial void JournalFailed(ILogger logger, string reason);

    [LoggerMessage(212, LogLevel.Information, "The journal is written again")]
    public static partial void JournalGoesOn(ILogger logger);

    [LoggerMessage(213, LogLevel.Warning, "{File} is the state of a version before 0.2 and is not read: streams learn anew; it is kept as {Aside}")]
    public static partial void FormerSnapshot(ILogger logger, string file, string aside);

    [LoggerMessage(214, LogLevel.Warning, "Stopped before all was drained: what was taken in is in the journal, and the next start goes on with it")]
    public static partial void StoppedBeforeDrained(ILogger logger);

    [LoggerMessage(217, LogLevel.Warning, "The journal ends behind entry {Entry} in {Bytes} bytes that are no whole group: what was being written when the end came and was not acknowledged. If no power was lost, the disk has damaged what was")]
    public static partial void JournalTorn(ILogger logger, long entry, long bytes);

    [LoggerMessage(218, LogLevel.Error, "The journal ends at entry {End}, and {Sink} was told of entry {Told}: what was between is missing (the disk lost it, or an older backup was restored) and counts for nothing; of the history what was told of it is taken out")]
    public static partial void JournalEndsEarly(ILogger logger, long end, string sink, long told);

    [LoggerMessage(215, LogLevel.Error, "Stopping: {Step} failed; the other steps go on")]
    public static partial void StopStepFailed(ILogger logger, string step, Exception failure);

    [LoggerMessage(216, LogLevel.Error, "{Task} ended with a failure; the daemon goes on without it")]
    public static partial void BesideFailed(ILogger logger, string task, Exception failure);

    [LoggerMessage(205, LogLevel.Error, "Scoring {Stream} failed; the stream starts again")]
    public static partial void ScoringFault(ILogger logger, string stream, Exception fault);

    [LoggerMessage(206, LogLevel.Information, "Drained: received {Received} = scored {Scored} + rejected {Rejected} + queued {Queued}")]
    public static partial void Drained(ILogger logger, long received, long scored, long rejected, long queued);

    [LoggerMessage(207, LogLevel.Critical, "{Reason}")]
    public static partial void Fatal(ILogger logger, string reason);

    [LoggerMessage(208, LogLevel.Critical, "The pipeline failed")]
    public static partial void PipelineFailed(ILogger logger, Exception failure);

    [LoggerMessage(209, LogLevel.Information, "The detector of worker {Worker} is alive: {Reason}")]
    public static partial void DetectorAlive(ILogger logger, int worker, string reason);

    [LoggerMessage(210, LogLevel.Error, "The detector of worker {Worker} is {State}: {Reason}")]
    public static partial void DetectorNotAlive(ILogger logger, int worker, string state, string reason);

    [LoggerMessage(300, LogLevel.Error, "History {File} cannot be used ({Reason}); moved to {Aside}, a new one begins")]
    public static partial void HistorySetAside(ILogger logger, string file, string reason, string aside);

    [LoggerMessage(302, LogLevel.Error, "Sink {Sink} takes nothing ({Reason}): it is tried again, and what it has not taken waits in the journal")]
    public static partial void SinkWaits(ILogger logger, string sink, string reason);

    [LoggerMessage(306, LogLevel.Warning, "Sink {Sink}: {Detail}")]
    public static partial void SinkTrouble(ILogger logger, string sink, string detail);

    [LoggerMessage(305, LogLevel.Warning, "What the page showed cannot be kept or shown again ({Reason}): it begins anew; state is not touched by that")]
    public static partial void LiveViewLost(ILogger logger, string reason);

    [LoggerMessage(210, LogLevel.Warning, "{Count} streams are forgotten ({Reason}), {First} among them: the limits on streams and memory say so")]
    public static partial void StreamsForgotten(ILogger logger, int count, string reason, string first);

    [LoggerMessage(211, LogLevel.Information, "Streams may take {Limit} MiB by their own count ({Origin}); those known take {Counted} MiB")]
    public static partial void MemoryLimit(ILogger logger, long limit, string origin, long counted);

    [LoggerMessage(306, LogLevel.Error, "The webhook refuses event {Key} for good ({Status}): it is not sent again")]
    public static partial void WebhookRefused(ILogger logger, string key, int status);

    [LoggerMessage(310, LogLevel.Error, "{Receiver} refuses notification {Key} for good ({Reason}): it is not sent again")]
    public static partial void NotificationRefused(ILogger logger, string receiver, string key, string reason);

    [LoggerMessage(303, LogLevel.Information, "Sink {Sink} takes again")]
    public static partial void SinkGoesOn(ILogger logger, string sink);

    [LoggerMessage(304, LogLevel.Error, "{File} holds from byte {Offset} on something else than what is told again: it is appended, and may stand there twice")]
    public static partial void ToldOtherwise(ILogger logger, string file, long offset);

    [LoggerMessage(306, LogLevel.Error, "The history holds event {Id} in other words than it is told again: what was told before stays. Another program, processor or configuration than before the kill explains it; otherwise please report it")]
    public static partial void IncidentToldOtherwise(ILogger logger, string id);

    [LoggerMessage(301, LogLevel.Warning, "{Warning}")]
    public static partial void OpenDoor(ILogger logger, string warning);

    [LoggerMessage(307, LogLevel.Information, "{File} is read again: what it says now counts")]
    public static partial void SecretChanged(ILogger logger, string file);

    [LoggerMessage(308, LogLevel.Error, "{Problem}")]
    public static partial void SecretUnreadable(ILogger logger, string problem);

    [LoggerMessage(309, LogLevel.Warning, "A request was refused ({Reason}): {Detail}; streamlstm_http_refused_total counts others like it")]
    public static partial void RequestRefused(ILogger logger, string reason, string detail);

    [LoggerMessage(312, LogLevel.Information, "The configuration was read again ({Cause}): {Count} options say something else")]
    public static partial void Reloaded(ILogger logger, string cause, int count);

    [LoggerMessage(313, LogLevel.Information, "{Change} ({Outcome})")]
    public static partial void OptionChanged(ILogger logger, string change, string outcome);

    [LoggerMessage(314, LogLevel.Error, "The configuration cannot be reloaded ({Cause}), and what held before holds: {Problem}")]
    public static partial void ReloadRefused(ILogger logger, string cause, string problem);

    [LoggerMessage(400, LogLevel.Information, "Training {Verdict} for {Group}: {Windows} windows, {HeldOut} held out, {Epochs} epochs in {Seconds:0.0} s; loss {Champion:0.0000} -> {Candidate:0.0000}, faults told from clean values {ChampionSeparation:0.000} -> {CandidateSeparation:0.000}; serving version {Version}")]
    public static partial void Trained(
        ILogger logger, string group, string verdict, int windows, int heldOut, int epochs, double seconds, double champion, double candidate,
        double? championSeparation, double? candidateSeparation, long version);

    [LoggerMessage(404, LogLevel.Information, "Weights trained for {Group} have forecast beside those in service: of {Windows} windows that came meanwhile the loss is {Champion:0.0000} of those in service, {Candidate:0.0000} of theirs")]
    public static partial void ForecastBeside(ILogger logger, string group, int windows, double champion, double candidate);

    [LoggerMessage(401, LogLevel.Information, "Training for {Group} waits: {Windows} clean windows, {Needed} needed")]
    public static partial void TooFewWindows(ILogger logger, string group, int windows, int needed);

    [LoggerMessage(402, LogLevel.Error, "Training failed; the weights in service stay")]
    public static partial void TrainingFailed(ILogger logger, Exception failure);

    [LoggerMessage(403, LogLevel.Warning, "Weights of version {Version} are taken back: of {Windows} recent windows their loss is {Champion:0.0000}, that of those before {Before:0.0000}, which serve again as version {Serving}")]
    public static partial void RolledBack(ILogger logger, long version, int windows, double champion, double before, long serving);
}
