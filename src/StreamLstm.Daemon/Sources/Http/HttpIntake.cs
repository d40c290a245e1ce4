using Microsoft.AspNetCore.Http;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Decoding;
using StreamLstm.Detection;

namespace StreamLstm.Daemon.Sources.Http;

/// <summary>Why a request was refused, to be said in the words of its protocol.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Why">For people: the field, the value and what was expected.</param>
internal sealed record Refusal(int Status, string Why);

/// <summary>Lets requests in as far as there are places, reads their bodies, and hands in what they hold: the same for every protocol.</summary>
internal sealed class HttpIntake(HttpSourceOptions options, RecordRules rules, int batchMax, TimeProvider time)
{
    private readonly IngestStamp _stamp = new(time);
    private readonly BodiesUnderWay _bodies = new(time);
    private int _requests;
    private ObservationIntake? _intake;

    /// <summary>Cancelled when the source stops.</summary>
    public CancellationToken Stopping { get; private set; }

    public void Open(ObservationIntake intake, CancellationToken stopping)
    {
        Stopping = stopping;
        Volatile.Write(ref _intake, intake);
    }

    public void Close() => Volatile.Write(ref _intake, null);

    /// <summary>For what a request holds.</summary>
    public Decoded NewDecoded() => new(_stamp, rules);

    /// <summary>Reads the body and has it taken in, or says why not.</summary>
    /// <param name="request">The request.</param>
    /// <param name="refuse">Puts a refusal into the protocol's words.</param>
    /// <param name="take">Takes the unpacked body in, and answers.</param>
    public async Task<IResult> ServeAsync(HttpRequest request, Func<Refusal, IResult> refuse, Func<byte[], ObservationIntake, Task<IResult>> take)
    {
        if (Volatile.Read(ref _intake) is not { } intake)
        {
            return Refuse(new Refusal(StatusCodes.Status503ServiceUnavailable, "not taking observations in: starting or stopping"));
        }

        using ReadBody reading = _bodies.Begin(request.HttpContext.RequestAborted);

        if (Interlocked.Increment(ref _requests) > options.ConcurrentMax && !_bodies.MakeRoom())
        {
            Interlocked.Decrement(ref _requests);
            return Refuse(new Refusal(StatusCodes.Status429TooManyRequests, $"more than {options.ConcurrentMax} requests at once (sources.http.concurrent_max)"));
        }

        try
        {
            (byte[]? body, Refusal? refused) = await RequestBody.ReadAsync(request, options.BodyMaxBytes, reading.Ended);
            reading.Dispose();
            return body is null ? Refuse(refused!) : await take(body, intake);
        }
        catch (OperationCanceledException) when (reading.GaveWay)
        {
            return Refuse(new Refusal(
                StatusCodes.Status408RequestTimeout,
                $"body: not whole after a second while all {options.ConcurrentMax} places were taken (sources.http.concurrent_max)"));
        }
        finally
        {
            Interlocked.Decrement(ref _requests);
        }

        IResult Refuse(Refusal why)
        {
            AskAgain(request, why);
            return refuse(why);
        }
    }

    /// <summary>
    /// Tells the books what could not be read and what was left out; what no stream would take, whatever there was before, becomes an error too, so that the
    /// answer has it. To be called before <see cref="HandInAsync"/>.
    /// </summary>
    public void Tell(ObservationIntake intake, string source, Decoded decoded)
    {
        DateTimeOffset now = time.GetUtcNow();
        decoded.Observations.RemoveAll(observation =>
        {
            RejectionReason? reason = DetectionShard.NeverTaken(observation, now);

            if (reason is { } why)
            {
                decoded.Errors.Add(new DecodeError(
                    0, why, RefusedObservation.Detail(observation, why, now), RefusedObservation.Payload(observation)));
            }

            return reason is not null;
        });
        intake.LeaveOut(source, decoded.LeftOut);

        foreach (DecodeError error in decoded.Errors)
        {
            intake.Reject(source, error.Reason, Said(error), error.Payload);
        }
    }

    /// <summary>An error with the line that it stands in, where it has one.</summary>
    public static string Said(DecodeError error) => error.Line > 0 ? $"line {error.Line}: {error.Detail}" : error.Detail;

    /// <summary>Hands in all observations and waits until they would survive (R1); why not, where they were not taken.</summary>
    public async Task<Refusal?> HandInAsync(HttpRequest request, ObservationIntake intake, string source, List<Observation> observations)
    {
        int accepted = 0;
        List<Task> onDisk = [];
        Refusal? refused = null;

        try
        {
            while (accepted < observations.Count)
            {
                int count = Math.Min(batchMax, observations.Count - accepted);
                using System.Diagnostics.Activity? span = DaemonActivitySource.Source.StartActivity($"ingest {source}");
                onDisk.Add(await intake.AcceptAsync(
                    new ObservationBatch(source, observations.GetRange(accepted, count).ToArray(), time.GetUtcNow(), span?.Context ?? default), Stopping));
                accepted += count;
            }

            await Task.WhenAll(onDisk);
        }
        catch (NotTakenException full)
        {
            int taken = onDisk.TakeWhile(task => task.IsCompletedSuccessfully).Count() * batchMax;
            refused = new Refusal(StatusCodes.Status503ServiceUnavailable, $"{full.Message}; the first {taken} observations were taken in");
        }
        catch (Exception closing) when (closing is OperationCanceledException or System.Threading.Channels.ChannelClosedException)
        {
            refused = new Refusal(StatusCodes.Status503ServiceUnavailable, $"stopping; the first {accepted} observations were taken in");
        }

        if (refused is not null)
        {
            AskAgain(request, refused);
        }

        return refused;
    }

    /// <summary>Says when to ask again, where that may help.</summary>
    public static void AskAgain(HttpRequest request, Refusal refusal)
    {
        if (refusal.Status is StatusCodes.Status409Conflict or StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable)
        {
            request.HttpContext.Response.Headers.RetryAfter = "1";
        }
    }
}
