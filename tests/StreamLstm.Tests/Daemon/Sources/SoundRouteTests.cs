using System.Net;
using StreamLstm.Features.Audio;
using StreamLstm.Tests.Features;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Daemon.Sources;

public sealed class SoundRouteTests
{
    [Theory]
    [InlineData("?format=wav&stream=sound/pump", true, 202, "\"accepted\":8")]
    [InlineData("?format=pcm&stream=sound/pump&rate=8000", false, 202, "\"accepted\":16")]
    [InlineData("?format=wav", true, 400, "query parameter stream: missing")]
    [InlineData("?format=wav&stream=a", false, 400, "does not begin with RIFF and WAVE")]
    [InlineData("?format=pcm&stream=a&rate=5", false, 400, "query parameter rate: 5, expected 1000 to 192000")]
    [InlineData("?format=pcm&stream=a&rate=x", false, 400, "query parameter rate: 'x', expected a number")]
    [InlineData("?format=pcm&stream=a&encoding=mp3", false, 400, "query parameter encoding: 'mp3', expected s16, u8, s24, s32 or f32")]
    [InlineData("?format=text&stream=names", false, 202, "\"accepted\"")]
    [InlineData("?format=words&stream=commands", false, 202, "\"accepted\"")]
    [InlineData("?format=mp3&stream=a", false, 400, "expected log, text, words, wav or pcm")]
    public async Task Sound_is_taken_as_it_says(string query, bool isWav, int status, string expected)
    {
        await using HostedDaemon daemon = await HostedDaemon.StartAsync("vectors.0.streams=sound/*", "vectors.0.fields=joint");
        byte[] body = LogMelBandsTests.Wav(LogMelBandsTests.Tone(440, 0.3, 2), SampleEncoding.S16, channels: 1);
        body = isWav ? body : query.Contains("text", StringComparison.Ordinal) || query.Contains("words", StringComparison.Ordinal) ? "one\ntwo\n"u8.ToArray() : body[56..];

        using var content = new ByteArrayContent(body);
        using HttpResponseMessage answer = await daemon.Http.PostAsync(new Uri($"/api/v1/observations{query}", UriKind.Relative), content, TestContext.Current.CancellationToken);

        string said = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Equal((HttpStatusCode)status, answer.StatusCode);
        Assert.Contains(expected, said, StringComparison.Ordinal);
    }
}
